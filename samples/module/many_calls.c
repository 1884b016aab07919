/* SPDX-License-Identifier: MIT */
/*
 * A hundred calls to sixty functions of the kernel, ten of them tail calls (JUMP26), and references to
 * its data. The same source is compiled for every code model.
 */
#include "module.h"

static u8 buffer[256];
static char text[64] = "many calls";
static struct node queue;
static u32 lock;

static int on_event(struct notifier *self, u64 event, void *data);
static struct notifier notifier = { on_event, NULL, 5 };

static u64 (*const checks[])(u64) = { mix64, swap_bytes, reverse_bits, square_root };

static noinline void use_memory(size_t n)
{
	memset(buffer, 0, sizeof(buffer));
	memcpy(buffer, text, n);
	memmove(buffer + 1, buffer, n);
	if (memcmp(buffer, text, n) || memchr(buffer, 'y', n))
		sample_print("%s: %d\n", text, memcmp(buffer + 1, text, n));
	__memset(buffer, 1, n);
	__memcpy(buffer, text, n);
	memmove(buffer + 2, buffer, n);
	copy_words((u64 *)buffer, &sample_ticks, 1);
	strscpy((char *)buffer, text, sizeof(buffer));
	if (strlen(text) > n && strnlen((char *)buffer, n) == n)
		memset(buffer + n, 0, sizeof(buffer) - n);
	clear_words((u64 *)buffer, sizeof(buffer) / 8);
}

static noinline int use_strings(const char *name)
{
	size_t n = strlen(name);

	if (strnlen(name, 8) == n || !strcmp(name, text) || !strncmp(name, text, 4))
		return strscpy(text, name, sizeof(text));
	if (strchr(name, ':') || strrchr(name, '.'))
		return sample_warn("odd name %s\n", name);
	if (!strcmp(name, state_names[0]))
		return state_of_name(name);
	sample_print("%s %s\n", name, name_of_state(sample_state));
	return strcmp(name, name_of_state(sample_state + 1));
}

static noinline u64 use_numbers(u64 x)
{
	u64 sum = count_bits(x) + highest_bit(x) + lowest_bit(x);

	sum += greatest_divisor(x, sum) + least_multiple(sum, x);
	sum += square_root(x) + power(x, 3) + swap_bytes(x);
	sum ^= reverse_bits(sum) ^ mix64(sum);
	sum += crc16(0, buffer, 16) + crc32(-1, buffer, 32);
	sum += hash_bytes(buffer, 64) + crc32(sum, buffer, 64);
	sum += count_bits(sum) + highest_bit(sum) + lowest_bit(sum);
	sum ^= swap_bytes(power(sum, 5)) + reverse_bits(square_root(sum));
	sum += crc16(sum, buffer, 128) + mix64(least_multiple(sum, 10));
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		sum += checks[i](sum);
	return greatest_divisor(sum, power(x, 2));
}

static noinline struct node *use_queue(struct node *node)
{
	lock_acquire(&lock);
	queue_push(&queue, node);
	if (queue_length(&queue) > sample_limit)
		queue_pop(&queue);
	lock_release(&lock);
	if (lock_try(&lock)) {
		queue_join(&queue, &main_queue);
		queue_push(&main_queue, queue_pop(&queue));
		lock_release(&lock);
	}
	return queue_peek(&queue);
}

static noinline void *use_pool(size_t n)
{
	void *memory = pool_alloc(n);

	if (!memory && pool_available())
		sample_panic(text);
	memcpy(memory, buffer, n);
	pool_free(memory);
	sample_limit = pool_available();
	return pool_alloc(n);
}

static noinline u64 use_counters(u64 n)
{
	counter_add(n);
	counter_add(sample_ticks);
	if (counter_read(0) > sample_limit)
		counter_reset();
	spin_ticks(n);
	full_barrier();
	sample_ticks = read_ticks();
	return counter_read(nr_cpus - 1) + sum_words(__per_cpu_offset, 4) + read_ticks();
}

static int on_event(struct notifier *self, u64 event, void *data)
{
	if (event == sample_state)
		return call_handler(event, (u64)self, (u64)data);
	if (!handler_of(event) && default_handlers[0])
		return walk_vectors(event);
	if (event & 1)
		full_barrier();
	return record_tags();
}

int __init init_module(void)
{
	queue_init(&queue);
	notifier_register(&boot_notifiers, &notifier);
	use_memory(10);
	if (use_strings(text) < 0 || !use_queue(main_queue.next) || !use_pool(32))
		sample_warn("%s: cannot start\n", text);
	return use_numbers(use_counters(1)) + notifier_call(&boot_notifiers, 2, &queue) == 0;
}

void __exit cleanup_module(void)
{
	if (notifier_unregister(&boot_notifiers, &notifier))
		sample_warn("%s: was not there\n", text);
	sample_print("%s: gone\n", text);
}
