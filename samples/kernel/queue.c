/* SPDX-License-Identifier: MIT */
/* Linked lists, among them statically linked ones: initialised data full of pointers to itself. */
#include "kernel.h"

static struct node second, first;
static struct node zeroth = { &first, &main_queue };
static struct node first = { &second, &zeroth };
static struct node second = { &main_queue, &first };
struct node main_queue = { &zeroth, &second };
EXPORT_SYMBOL(main_queue);

static struct node empty_queues[12] = {
#define EMPTY(i) [i] = { &empty_queues[i], &empty_queues[i] }
	EMPTY(0), EMPTY(1), EMPTY(2), EMPTY(3), EMPTY(4), EMPTY(5),
	EMPTY(6), EMPTY(7), EMPTY(8), EMPTY(9), EMPTY(10), EMPTY(11),
};

void queue_init(struct node *head)
{
	head->next = head->previous = head;
}
EXPORT_SYMBOL(queue_init);

void queue_push(struct node *head, struct node *node)
{
	node->next = head;
	node->previous = head->previous;
	head->previous->next = node;
	head->previous = node;
}
EXPORT_SYMBOL(queue_push);

struct node *queue_peek(const struct node *head)
{
	return head->next == head ? NULL : head->next;
}
EXPORT_SYMBOL(queue_peek);

struct node *queue_pop(struct node *head)
{
	struct node *node = queue_peek(head);

	if (node) {
		head->next = node->next;
		node->next->previous = head;
		queue_init(node);
	}
	return node;
}
EXPORT_SYMBOL(queue_pop);

size_t queue_length(const struct node *head)
{
	size_t n = 0;

	for (const struct node *node = head->next; node != head; node = node->next)
		n++;
	return n;
}
EXPORT_SYMBOL(queue_length);

void queue_join(struct node *head, struct node *other)
{
	struct node *node;

	while ((node = queue_pop(other ? other : &empty_queues[queue_length(head) % ARRAY_SIZE(empty_queues)])))
		queue_push(head, node);
}
EXPORT_SYMBOL_GPL(queue_join);

int lock_try(u32 *lock)
{
	u32 old = 0;

	return __atomic_compare_exchange_n(lock, &old, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}
EXPORT_SYMBOL(lock_try);

void lock_acquire(u32 *lock)
{
	while (!lock_try(lock))
		asm volatile("yield");
}
EXPORT_SYMBOL(lock_acquire);

void lock_release(u32 *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}
EXPORT_SYMBOL(lock_release);

static int count_event(struct notifier *self, u64 event, void *data)
{
	(void)data;
	self->priority += event != 0;
	return 0;
}

static struct notifier last_notifier = { count_event, NULL, 0 };
static struct notifier first_notifier = { count_event, &last_notifier, 10 };
struct notifier *boot_notifiers = &first_notifier;
EXPORT_SYMBOL_GPL(boot_notifiers);

int notifier_register(struct notifier **chain, struct notifier *entry)
{
	while (*chain && (*chain)->priority >= entry->priority)
		chain = &(*chain)->next;
	entry->next = *chain;
	*chain = entry;
	return 0;
}
EXPORT_SYMBOL_GPL(notifier_register);

int notifier_unregister(struct notifier **chain, struct notifier *entry)
{
	for (; *chain; chain = &(*chain)->next)
		if (*chain == entry) {
			*chain = entry->next;
			return 0;
		}
	return -2;
}
EXPORT_SYMBOL_GPL(notifier_unregister);

int notifier_call(struct notifier **chain, u64 event, void *data)
{
	int result = 0;

	for (struct notifier *entry = *chain; entry && !result; entry = entry->next)
		result = entry->call(entry, event, data);
	return result;
}
EXPORT_SYMBOL_GPL(notifier_call);
