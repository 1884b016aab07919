/*
 * What the benchmarks are measured against: the same jobs in plain C, and a clock for whole processes.
 *
 *   loop IMAGE BASE DELTA RELA COUNT RELR WORDS ROUNDS   nanoseconds a relocation, median of ROUNDS
 *   relocate IMAGE OUT BASE DELTA RELA COUNT RELR WORDS  read, relocate, write
 *   hash IMAGE OUT BASE DELTA RELA COUNT RELR WORDS      the same, and SHA-256 of what is written
 *   run COMMAND...                                       exit status of a child, its wall and processor seconds, peak KiB
 *
 * Times are processor times where nothing else is said.
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

static double now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
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

/* Whether all places of both tables ascend, inside the image and outside the tables: nothing is written otherwise. */
static int sound(const uint8_t *image, size_t size, struct tables t)
{
	uint64_t limit = size - 8, next = 0, word, at = 0;
	uint64_t rela_end = t.rela + t.count * 24, relr_end = t.relr + t.words * 8;
	struct { uint64_t offset, info, addend; } r;

	for (uint64_t i = 0; i < t.count; i++) {
		memcpy(&r, image + t.rela + i * 24, 24);
		if ((r.info & 0xffffffff) != 0x403) continue;
		uint64_t place = r.offset - t.base;
		if (place < next || place > limit) return 0;
		if (place + 8 > t.rela && place < rela_end) return 0;
		if (place + 8 > t.relr && place < relr_end) return 0;
		next = place + 8;
	}
	next = 0;
	for (uint64_t i = 0; i < t.words; i++) {
		memcpy(&word, image + t.relr + i * 8, 8);
		uint64_t first = word - t.base, last = first;
		if (word & 1) {
			if (i == 0) return 0;
			word >>= 1;
			if (word) {
				first = at + __builtin_ctzll(word) * 8;
				last = at + (63 - __builtin_clzll(word)) * 8;
			}
			at += 63 * 8;
			if (!word) continue;
		} else {
			at = first + 8;
		}
		if (first < next || last > limit || (last + 8 > t.relr && first < relr_end)) return 0;
		next = last + 8;
	}
	return 1;
}

/* As the kernel does it. */
static uint64_t relocate(uint8_t *image, struct tables t)
{
	struct { uint64_t offset, info, addend; } r;
	uint64_t done = 0, value, word, at = 0;

	for (uint64_t i = 0; i < t.count; i++) {
		memcpy(&r, image + t.rela + i * 24, 24);
		if ((r.info & 0xffffffff) != 0x403) continue;
		value = r.addend + t.delta;
		memcpy(image + r.offset - t.base, &value, 8);
		done++;
	}
	for (uint64_t i = 0; i < t.words; i++) {
		memcpy(&word, image + t.relr + i * 8, 8);
		if (!(word & 1)) {
			at = word - t.base;
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
	uint32_t k[64], w[64];
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
		const uint8_t *block = at < whole ? bytes + at : tail + (at - whole);
		for (int i = 0; i < 16; i++)
			w[i] = (uint32_t)block[4 * i] << 24 | block[4 * i + 1] << 16 | block[4 * i + 2] << 8 | block[4 * i + 3];
		for (int i = 16; i < 64; i++)
			w[i] = w[i - 16] + w[i - 7] + (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3) +
			       (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10);
		uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], z = h[7];
		for (int i = 0; i < 64; i++) {
			uint32_t t1 = z + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + k[i] + w[i];
			uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
			z = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
		}
		h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e, h[5] += f, h[6] += g, h[7] += z;
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static int loop(char **a)
{
	size_t size;
	uint8_t *image = read_file(a[0], &size);
	struct tables t = parse(a + 1);
	int rounds = atoi(a[7]);
	double *ns = malloc(rounds * sizeof(*ns));

	for (int i = 0; i < rounds; i++) {
		double start = now(CLOCK_PROCESS_CPUTIME_ID);
		if (!sound(image, size, t)) return 3;
		uint64_t done = relocate(image, t);
		ns[i] = (now(CLOCK_PROCESS_CPUTIME_ID) - start) * 1e9 / done;
	}
	qsort(ns, rounds, sizeof(*ns), compare);
	printf("%.4f\n", ns[rounds / 2]);
	return 0;
}

static int whole(char **a, int hashed)
{
	size_t size;
	uint8_t *image = read_file(a[0], &size);
	uint32_t h[8] = { 0 };

	struct tables t = parse(a + 2);
	if (!sound(image, size, t)) return 3;
	relocate(image, t);
	if (hashed) sha256(image, size, h);
	FILE *out = fopen(a[1], "wb");
	if (!out || fwrite(image, 1, size, out) != size || fclose(out)) { perror(a[1]); return 2; }
	for (int i = 0; hashed && i < 8; i++) printf("%08x", h[i]);
	printf("\n");
	return 0;
}

static int run(char **command)
{
	int status;
	struct rusage usage;
	double start = now(CLOCK_MONOTONIC);
	pid_t child = fork();

	if (child == 0) {
		dup2(open("/dev/null", O_WRONLY), 1);
		execvp(command[0], command);
		_exit(127);
	}
	wait4(child, &status, 0, &usage);
	double wall = now(CLOCK_MONOTONIC) - start;
	double processor = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
			   (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
	printf("%d %.6f %.6f %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128, wall, processor, usage.ru_maxrss);
	return 0;
}

int main(int argc, char **argv)
{
	const char *job = argc > 1 ? argv[1] : "";

	if (argc == 10 && !strcmp(job, "loop")) return loop(argv + 2);
	if (argc == 10 && !strcmp(job, "relocate")) return whole(argv + 2, 0);
	if (argc == 10 && !strcmp(job, "hash")) return whole(argv + 2, 1);
	if (argc >= 3 && !strcmp(job, "run")) return run(argv + 2);
	fprintf(stderr, "usage: yardstick loop|relocate|hash|run ...\n");
	return 2;
}
