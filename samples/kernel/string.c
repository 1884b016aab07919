/* SPDX-License-Identifier: MIT */
/* Strings and memory. __memcpy and __memset are second names: one exported name is then the end of another. */
#include "kernel.h"

void *memcpy(void *to, const void *from, size_t n)
{
	u8 *t = to;
	const u8 *f = from;

	for (size_t i = 0; i < n; i++)
		t[i] = f[i];
	return to;
}
EXPORT_SYMBOL(memcpy);

void *__memcpy(void *to, const void *from, size_t n) __attribute__((alias("memcpy")));
EXPORT_SYMBOL(__memcpy);

void *memmove(void *to, const void *from, size_t n)
{
	u8 *t = to;
	const u8 *f = from;

	if (t <= f)
		return memcpy(to, from, n);
	while (n--)
		t[n] = f[n];
	return to;
}
EXPORT_SYMBOL(memmove);

void *memset(void *to, int byte, size_t n)
{
	u8 *t = to;

	for (size_t i = 0; i < n; i++)
		t[i] = byte;
	return to;
}
EXPORT_SYMBOL(memset);

void *__memset(void *to, int byte, size_t n) __attribute__((alias("memset")));
EXPORT_SYMBOL(__memset);

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}
EXPORT_SYMBOL(memcmp);

void *memchr(const void *in, int byte, size_t n)
{
	const u8 *p = in;

	for (; n; n--, p++)
		if (*p == (u8)byte)
			return (void *)p;
	return NULL;
}
EXPORT_SYMBOL(memchr);

size_t strnlen(const char *s, size_t n)
{
	const char *end = memchr(s, 0, n);

	return end ? (size_t)(end - s) : n;
}
EXPORT_SYMBOL(strnlen);

size_t strlen(const char *s)
{
	return strnlen(s, -1UL);
}
EXPORT_SYMBOL(strlen);

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++)
		if (*a != *b || !*a)
			return (u8)*a - (u8)*b;
	return 0;
}
EXPORT_SYMBOL(strncmp);

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, -1UL);
}
EXPORT_SYMBOL(strcmp);

char *strchr(const char *s, int c)
{
	return memchr(s, c, strlen(s) + 1);
}
EXPORT_SYMBOL(strchr);

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	do {
		if (*s == (char)c)
			last = s;
	} while (*s++);
	return (char *)last;
}
EXPORT_SYMBOL(strrchr);

long strscpy(char *to, const char *from, size_t n)
{
	size_t length = strnlen(from, n);

	if (!n)
		return -7;
	if (length == n)
		length--;
	memcpy(to, from, length);
	to[length] = 0;
	return from[length] ? -7 : (long)length;
}
EXPORT_SYMBOL(strscpy);
