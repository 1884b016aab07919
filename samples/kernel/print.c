/* SPDX-License-Identifier: MIT */
/* A log: %s, %c, and unsigned %d, %u, %x, each also with l, into a ring of bytes. */
#include "kernel.h"

typedef __builtin_va_list va_list;

u64 sample_ticks;
EXPORT_SYMBOL(sample_ticks);
u64 sample_limit = 1000;
EXPORT_SYMBOL(sample_limit);

static char ring[2048];
static u32 ring_head;
static char *ring_start = ring;
static const char digits[] = "0123456789abcdef";

static void put(char c)
{
	ring_start[ring_head++ % sizeof(ring)] = c;
}

static void put_number(u64 x, u32 base)
{
	char text[20];
	int n = 0;

	do
		text[n++] = digits[x % base];
	while (x /= base);
	while (n)
		put(text[--n]);
}

static int print_list(const char *format, va_list *list)
{
	u32 start = ring_head;

	for (; *format; format++) {
		if (*format != '%') {
			put(*format);
			continue;
		}
		int is_long = *++format == 'l';

		format += is_long;
		switch (*format) {
		case 's':
			for (const char *s = __builtin_va_arg(*list, const char *); *s; s++)
				put(*s);
			break;
		case 'c':
			put(__builtin_va_arg(*list, int));
			break;
		default:
			put_number(is_long ? __builtin_va_arg(*list, u64) : __builtin_va_arg(*list, u32),
				   *format == 'x' ? 16 : 10);
		}
	}
	return ring_head - start;
}

int sample_print(const char *format, ...)
{
	va_list list;
	int n;

	__builtin_va_start(list, format);
	n = print_list(format, &list);
	__builtin_va_end(list);
	return n;
}
EXPORT_SYMBOL(sample_print);

int sample_warn(const char *format, ...)
{
	va_list list;
	int n;

	sample_print("warning: ");
	__builtin_va_start(list, format);
	n = print_list(format, &list);
	__builtin_va_end(list);
	return n;
}
EXPORT_SYMBOL(sample_warn);

void vmcoreinfo_append_str(const char *format, ...)
{
	va_list list;

	__builtin_va_start(list, format);
	print_list(format, &list);
	__builtin_va_end(list);
}

void sample_panic(const char *why)
{
	sample_print("panic: %s\n", why);
	for (;;)
		asm volatile("wfe");
}
EXPORT_SYMBOL(sample_panic);
