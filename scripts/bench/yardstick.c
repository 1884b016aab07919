/*
 * What the benchmarks are measured against: the same jobs in plain C, and a clock for whole processes.
 *
 *   loop IMAGE BASE DELTA RELA COUNT RELR WORDS ROUNDS   nanoseconds a relocation, median of ROUNDS
 *   relocate IMAGE OUT BASE DELTA RELA COUNT RELR WORDS  read, relocate, hash (SHA-256), write
 *   run COMMAND...                                       wall seconds and peak resident KiB of a child
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static uint8_t *read_file(const char *name, size_t *size)
{
	FILE *f = fopen(name, "rb");
	if (!f) { perror(name); exit(2); }
	fseek(f, 0, SEEK_END);
	*size = ftell(f);
	rewind(f);
	uint8_t *bytes = malloc(*size);
	if (!bytes || fread(bytes, 1, *size, f) != *size) { perror(name); exit(2); }
	fclose(f);
	return bytes;
}

struct tables { uint64_t base, delta, rela, count, relr, words; };

static struct tables parse(char **a)
{
	struct tables t;
	uint64_t *fields[] = { &t.base, &t.delta, &t.rela, &t.count, &t.relr, &t.words };
	for (int i = 0; i < 6; i++)
		*fields[i] = strtoull(a[i], NULL, 0);
	return t;
}

/* Checks every place as it goes, as the other side does. */
static uint64_t relocate(uint8_t *image, size_t size, struct tables t)
{
	struct { uint64_t offset, info, addend; } r;
	uint64_t done = 0, limit = size - 8, value, word, at = 0;
	for (uint64_t i = 0; i < t.count; i++) {
		memcpy(&r, image + t.rela + i * 24, 24);
		if ((r.info & 0xffffffff) != 0x403) continue;
		uint64_t place = r.offset - t.base;
		if (place > limit) exit(3);
		value = r.addend + t.delta;
		memcpy(image + place, &value, 8);
		done++;
	}
	for (uint64_t i = 0; i < t.words; i++) {
		memcpy(&word, image + t.relr + i * 8, 8);
		if (!(word & 1)) {
			at = word - t.base;
			if (at > limit) exit(3);
			memcpy(&value, image + at, 8);
			value += t.delta;
			memcpy(image + at, &value, 8);
			at += 8;
			done++;
			continue;
		}
		uint64_t place = at;
		for (word >>= 1; word; word >>= 1, place += 8) {
			if (!(word & 1)) continue;
			if (place > limit) exit(3);
			memcpy(&value, image + place, 8);
			value += t.delta;
			memcpy(image + place, &value, 8);
			done++;
		}
		at += 63 * 8;
	}
	return done;
}

static uint32_t rotate(uint32_t x, int n) { return x >> n | x << (32 - n); }

/* FIPS 180-4; the constants are the first 32 bits of the fractional parts of cube and square roots of primes. */
static uint32_t fraction(double root) { return (uint32_t)((root - (uint64_t)root) * 4294967296.0); }

static double cube_root(double x)
{
	double r = x;
	for (int i = 0; i < 100; i++) r -= (r * r * r - x) / (3 * r * r);
	return r;
}

static double square_root(double x)
{
	double r = x;
	for (int i = 0; i < 100; i++) r -= (r * r - x) / (2 * r);
	return r;
}

static void sha256(const uint8_t *bytes, size_t size, uint32_t h[8])
{
	uint32_t k[64], w[64], v[8];
	for (int n = 0, p = 2; n < 64; p++) {
		int prime = 1;
		for (int d = 2; d * d <= p; d++) prime &= p % d != 0;
		if (!prime) continue;
		if (n < 8) h[n] = fraction(square_root(p));
		k[n++] = fraction(cube_root(p));
	}
	size_t padded = (size + 9 + 63) / 64 * 64;
	uint8_t tail[128] = { 0 };
	size_t whole = size / 64 * 64, rest = size - whole;
	memcpy(tail, bytes + whole, rest);
	tail[rest] = 0x80;
	for (int i = 0; i < 8; i++) tail[padded - whole - 1 - i] = (uint64_t)size * 8 >> (8 * i);
	for (size_t at = 0; at < padded; at += 64) {
		const uint8_t *b = at < whole ? bytes + at : tail + (at - whole);
		for (int i = 0; i < 16; i++)
			w[i] = (uint32_t)b[4 * i] << 24 | b[4 * i + 1] << 16 | b[4 * i + 2] << 8 | b[4 * i + 3];
		for (int i = 16; i < 64; i++)
			w[i] = w[i - 16] + w[i - 7] + (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3) +
			       (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10);
		memcpy(v, h, 32);
		for (int i = 0; i < 64; i++) {
			uint32_t a = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) +
				     ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
			uint32_t b2 = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) +
				      ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
			memmove(v + 1, v, 28);
			v[4] += a;
			v[0] = a + b2;
		}
		for (int i = 0; i < 8; i++) h[i] += v[i];
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	size_t size;
	if (argc >= 10 && !strcmp(argv[1], "loop")) {
		uint8_t *image = read_file(argv[2], &size);
		struct tables t = parse(argv + 3);
		int rounds = atoi(argv[9]);
		double *ns = malloc(rounds * sizeof(*ns));
		for (int i = 0; i < rounds; i++) {
			double start = now();
			uint64_t done = relocate(image, size, t);
			ns[i] = (now() - start) * 1e9 / done;
		}
		qsort(ns, rounds, sizeof(*ns), compare);
		printf("%.4f\n", ns[rounds / 2]);
		return 0;
	}
	if (argc >= 10 && !strcmp(argv[1], "relocate")) {
		uint8_t *image = read_file(argv[2], &size);
		relocate(image, size, parse(argv + 4));
		uint32_t h[8];
		sha256(image, size, h);
		FILE *out = fopen(argv[3], "wb");
		if (!out || fwrite(image, 1, size, out) != size || fclose(out)) { perror(argv[3]); return 2; }
		for (int i = 0; i < 8; i++) printf("%08x", h[i]);
		printf("\n");
		return 0;
	}
	if (argc >= 3 && !strcmp(argv[1], "run")) {
		double start = now();
		pid_t child = fork();
		if (child == 0) {
			dup2(open("/dev/null", O_WRONLY), 1);
			execvp(argv[2], argv + 2);
			_exit(127);
		}
		int status;
		struct rusage usage;
		wait4(child, &status, 0, &usage);
		printf("%d %.6f %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128, now() - start, usage.ru_maxrss);
		return 0;
	}
	fprintf(stderr, "usage: yardstick loop|relocate|run ...\n");
	return 2;
}
