/* SPDX-License-Identifier: MIT */
/* Tables of pointers in read-only data: strings, functions, and records that hold both. */
#include "kernel.h"

const char *const state_names[] = {
	"off", "booting", "scheduling", "running", "halt", "restart", "suspend", "freezing", NULL,
};
EXPORT_SYMBOL(state_names);

u32 sample_state = 1;
EXPORT_SYMBOL(sample_state);

const char *name_of_state(u32 state)
{
	return state < ARRAY_SIZE(state_names) - 1 ? state_names[state] : "unknown";
}
EXPORT_SYMBOL(name_of_state);

int state_of_name(const char *name)
{
	for (int i = 0; state_names[i]; i++)
		if (!strcmp(state_names[i], name))
			return i;
	return -2;
}
EXPORT_SYMBOL(state_of_name);

static long handle_add(u64 a, u64 b) { return a + b; }
static long handle_subtract(u64 a, u64 b) { return a - b; }
static long handle_multiply(u64 a, u64 b) { return a * b; }
static long handle_divide(u64 a, u64 b) { return b ? a / b : 0; }
static long handle_and(u64 a, u64 b) { return a & b; }
static long handle_or(u64 a, u64 b) { return a | b; }
static long handle_xor(u64 a, u64 b) { return a ^ b; }

const handler default_handlers[] = {
	handle_add, handle_subtract, handle_multiply, handle_divide, handle_and, handle_or, handle_xor,
	(handler)greatest_divisor, (handler)least_multiple,
};
EXPORT_SYMBOL_GPL(default_handlers);

static const struct {
	const char *name;
	handler handle;
	u64 argument;
} operations[] = {
	{ "add", handle_add, 1 },           { "subtract", handle_subtract, 1 }, { "multiply", handle_multiply, 2 },
	{ "divide", handle_divide, 2 },     { "and", handle_and, 0xff },        { "or", handle_or, 0x80 },
	{ "exclusive or", handle_xor, -1 },
};

handler handler_of(u32 number)
{
	return number < ARRAY_SIZE(default_handlers) ? default_handlers[number] : NULL;
}
EXPORT_SYMBOL_GPL(handler_of);

long call_handler(u32 number, u64 a, u64 b)
{
	handler handle = handler_of(number);

	if (!handle)
		return sample_warn("no handler %u\n", number);
	if (number < ARRAY_SIZE(operations) && operations[number].handle == handle)
		sample_print("%s\n", operations[number].name);
	return handle(a, b);
}
EXPORT_SYMBOL_GPL(call_handler);

u64 walk_vectors(u64 mask)
{
	u64 sum = 0;

	for (int i = 0; i < 192; i++)
		if (mask & (1UL << (i & 63)))
			sum += vector_table[i](i, sum);
	return sum;
}
EXPORT_SYMBOL_GPL(walk_vectors);
