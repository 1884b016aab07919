/* SPDX-License-Identifier: MIT */
/* What the sample kernel offers to its own files and to the sample modules. */
#ifndef SAMPLES_KERNEL_H
#define SAMPLES_KERNEL_H

#include "export.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef unsigned long size_t;

#define NULL ((void *)0)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define __init __attribute__((section(".init.text")))
#define __initdata __attribute__((section(".init.data")))
#define __exit __attribute__((section(".exit.text")))
#define __ro_after_init __attribute__((section(".data..ro_after_init")))
#define __percpu_data __attribute__((section(".data..percpu")))
#define noinline __attribute__((noinline))

/* The address of this CPU's copy of a per-CPU variable: its link-time address plus TPIDR_EL1. */
#define this_cpu(variable)                                          \
	({                                                          \
		u64 offset;                                         \
		asm volatile("mrs %0, tpidr_el1" : "=r"(offset));   \
		(__typeof__(variable) *)((u64)&(variable) + offset); \
	})

/* string.c */
void *memcpy(void *to, const void *from, size_t n);
void *__memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
void *__memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *in, int byte, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t n);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
long strscpy(char *to, const char *from, size_t n);

/* number.c */
u32 count_bits(u64 x);
int highest_bit(u64 x);
int lowest_bit(u64 x);
u64 greatest_divisor(u64 a, u64 b);
u64 least_multiple(u64 a, u64 b);
u64 square_root(u64 x);
u64 power(u64 base, u32 exponent);
u64 swap_bytes(u64 x);
u64 reverse_bits(u64 x);
u64 mix64(u64 x);
u16 crc16(u16 crc, const u8 *from, size_t n);
u32 crc32(u32 crc, const u8 *from, size_t n);
u32 hash_bytes(const u8 *from, size_t n);

/* queue.c */
struct node {
	struct node *next, *previous;
};
struct notifier {
	int (*call)(struct notifier *self, u64 event, void *data);
	struct notifier *next;
	int priority;
};
extern struct node main_queue;
extern struct notifier *boot_notifiers;
void queue_init(struct node *head);
void queue_push(struct node *head, struct node *node);
struct node *queue_pop(struct node *head);
struct node *queue_peek(const struct node *head);
size_t queue_length(const struct node *head);
void queue_join(struct node *head, struct node *other);
void lock_acquire(u32 *lock);
int lock_try(u32 *lock);
void lock_release(u32 *lock);
int notifier_register(struct notifier **chain, struct notifier *entry);
int notifier_unregister(struct notifier **chain, struct notifier *entry);
int notifier_call(struct notifier **chain, u64 event, void *data);

/* lookup.c */
typedef long (*handler)(u64 a, u64 b);
extern const char *const state_names[];
extern const handler default_handlers[];
extern u32 sample_state;
const char *name_of_state(u32 state);
int state_of_name(const char *name);
handler handler_of(u32 number);
long call_handler(u32 number, u64 a, u64 b);
u64 walk_vectors(u64 mask);

/* pool.c */
void *pool_alloc(size_t n);
void pool_free(void *memory);
size_t pool_available(void);

/* print.c */
extern u64 sample_ticks;
extern u64 sample_limit;
int sample_print(const char *format, ...);
int sample_warn(const char *format, ...);
void sample_panic(const char *why) __attribute__((noreturn));
void vmcoreinfo_append_str(const char *format, ...);

/* percpu.c */
struct statistics {
	u64 events, bytes;
	struct statistics *self;
};
extern u64 sample_counter;
extern struct statistics sample_statistics;
extern u64 __per_cpu_offset[4];
extern u32 nr_cpus;
void counter_add(u64 n);
u64 counter_read(u32 cpu);
void counter_reset(void);

/* word.S */
void copy_words(u64 *to, const u64 *from, size_t words);
void clear_words(u64 *to, size_t words);
u64 sum_words(const u64 *from, size_t words);
u64 read_ticks(void);
void spin_ticks(u64 ticks);
void full_barrier(void);

/* record.c */
u64 record_tags(void);

/* vmcoreinfo.c, version.c, init.c, vector.S */
extern const char linux_banner[];
extern const handler vector_table[];
void arch_crash_save_vmcoreinfo(void);
void start_kernel(void);

#endif
