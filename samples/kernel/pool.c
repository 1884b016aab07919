/* SPDX-License-Identifier: MIT */
/* A pool of fixed blocks in .bss, with a bitmap of those in use. */
#include "kernel.h"

#define BLOCKS 64
#define BLOCK_SIZE 64

static u8 pool[BLOCKS][BLOCK_SIZE] __attribute__((aligned(64)));
static u64 pool_used;
static u32 pool_lock;

void *pool_alloc(size_t n)
{
	void *memory = NULL;

	lock_acquire(&pool_lock);
	if (n <= BLOCK_SIZE && ~pool_used) {
		int i = lowest_bit(~pool_used);

		pool_used |= 1UL << i;
		memory = memset(pool[i], 0, BLOCK_SIZE);
	}
	lock_release(&pool_lock);
	return memory;
}
EXPORT_SYMBOL(pool_alloc);

void pool_free(void *memory)
{
	size_t i = ((u8 *)memory - pool[0]) / BLOCK_SIZE;

	if (i >= BLOCKS)
		sample_panic("pool_free: not from the pool");
	lock_acquire(&pool_lock);
	pool_used &= ~(1UL << i);
	lock_release(&pool_lock);
}
EXPORT_SYMBOL(pool_free);

size_t pool_available(void)
{
	return BLOCKS - count_bits(pool_used);
}
EXPORT_SYMBOL(pool_available);
