/**
 * MOVW groups of whole modules: each relocation is missed if it is gone. Where clang is installed, as it writes them, too: whatever it
 * shares, schedules, spills or moves into branches is no finding.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { openModule } from '../../../lib/module/module-file.js';
import { isGroupPart } from '../../../lib/verify/movw-group.js';
import { referencesOf } from '../../../lib/verify/reference.js';
import { verifyModule } from '../../../lib/verify/verify.js';
import { readSample } from '../../support/sample.js';

const SOURCE = `
typedef unsigned long u64;
__asm__(".section .modinfo,\\"a\\"\\n.asciz \\"name=compiled\\"\\n.asciz \\"vermagic=6.1.0 SMP\\"\\n.text");
extern u64 one, two, three, table[]; static u64 own[64], state; extern u64 maybe __attribute__((weak));
struct list { struct list *next; }; static struct list head = { &head }; extern struct list other;
extern int print(const char *, ...), lock(void *), unlock(void *); extern void *take(u64); extern void give(void *), stop(void) __attribute__((noreturn));
u64 pressure(u64 n) {
  u64 a = 0, b = 1, c = 2, d = 3, e = 4, f = 5, g = 6, h = 7;
  for (u64 k = 0; k < n; k++) {
    a += one; b ^= two; c += three * a; d -= own[k & 63]; e += table[k]; f += state; g += h ^ a; h += maybe;
    lock(&one); lock(&two); lock(&three); lock(own); lock(table); lock(&state); lock(&head); lock(&other);
    one = b; two = c; three = d; state = e;
  }
  return a + b + c + d + e + f + g + h;
}
u64 jump(int k, u64 v) {
  switch (k) {
    case 0: one += v; return 1;
    case 1: two = v; break;
    case 2: state++; break;
    case 3: return three;
    case 4: print("four %lu", v); break;
    case 5: one ^= two; break;
    case 6: own[v & 63]++; break;
    case 7: state = 0; three++; break;
    default: print("none %d", k); stop();
  }
  return ++one + state;
}
int unwind(u64 n) {
  void *a, *b;
  lock(&state);
  if (!(a = take(n))) goto first;
  if (!(b = take(one))) goto second;
  if (state > two) stop();
  state += (u64)b; print("took"); unlock(&state); return 0;
second: print("second"); give(a); one--;
first: print("first"); unlock(&state); two++; return -1;
}
u64 walk(u64 t) {
  for (struct list *l = head.next; l != &head; l = l->next) {
    if ((u64)l == t) { unlock(&head); return 1; }
    if (l == &other) { lock(&other); one += state; unlock(&other); }
    if (one > t) return 2;
    head.next = l;
  }
  print("walked %lu", one); return 0;
}
`;

/** The default one and the newest. */
const FOUND = ['clang', ...Array.from({ length: 12 }, (_, i) => `clang-${i + 13}`)].filter(
  (name) => spawnSync(name, ['--target=aarch64-linux-gnu', '--version']).status === 0,
);
const CLANG = [...new Set([...FOUND.slice(0, 1), ...FOUND.slice(-1)])];
const VARIANTS = [
  [],
  ['-fno-jump-tables'],
  ['-mbranch-protection=standard'],
  ['-fsanitize=kernel-address'],
  ['-fsanitize-coverage=trace-pc'],
];

const folder = mkdtempSync(join(tmpdir(), 'kaslrkit-compiled-'));
afterAll(() => rmSync(folder, { recursive: true }));

function compile(clang: string, flags: readonly string[]): Uint8Array {
  const output = join(folder, 'compiled.o');
  const fixed = [
    '--target=aarch64-linux-gnu',
    '-mcmodel=large',
    '-fno-pic',
    '-ffreestanding',
    '-mgeneral-regs-only',
    '-w',
  ];
  const { status, stderr } = spawnSync(clang, [...fixed, ...flags, '-x', 'c', '-c', '-', '-o', output], {
    input: SOURCE,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return new Uint8Array(readFileSync(output));
}

const errorsOf = (bytes: Uint8Array): string[] =>
  verifyModule(openModule(bytes, 'compiled'), { model: 'large', allowAdrp: false })
    .findings.filter(({ severity }) => severity === 'error')
    .map(({ section, offset, message }) => `${section}+0x${offset.toString(16)}: ${message}`);

/** File offsets of the r_info of the module's MOVW_UABS relocations. */
function groupRelocations(bytes: Uint8Array): number[] {
  const file = openModule(bytes, 'compiled');
  const parts = [...referencesOf(file)].filter(isGroupPart);
  const view = new DataView(bytes.buffer);
  return file.elf.sections.flatMap((table) => {
    const offsets = new Set(parts.filter(({ section }) => section.index === table.sh_info).map(({ offset }) => offset));
    if (table.sh_type !== 4 || offsets.size === 0) return [];
    const start = table.data.byteOffset - bytes.byteOffset;
    const places = Array.from({ length: table.data.length / 24 }, (_, i) => start + 24 * i);
    return places.filter((at) => offsets.has(Number(view.getBigUint64(at, true)))).map((at) => at + 8);
  });
}

/** That each relocation of a group is missed if it is gone, or names another address. */
function expectEachToCount(original: Uint8Array): void {
  const bytes = new Uint8Array(original);
  const view = new DataView(bytes.buffer);
  for (const at of groupRelocations(bytes)) {
    const [type, addend] = [view.getUint32(at, true), view.getBigInt64(at + 8, true)];
    view.setUint32(at, 0, true);
    expect([at, errorsOf(bytes).length]).not.toEqual([at, 0]);
    view.setUint32(at, type, true);
    view.setBigInt64(at + 8, addend + 8n, true);
    expect([at, errorsOf(bytes).length]).not.toEqual([at, 0]);
    view.setBigInt64(at + 8, addend, true);
  }
}

describe('a large module written by hand', () => {
  it('has a finding if a relocation of its groups is gone or names another address', () => {
    const bytes = new Uint8Array(readSample('6.1/large_movw.ko'));
    expect(groupRelocations(bytes).length).toBeGreaterThan(40);
    expectEachToCount(bytes);
  });
});

if (CLANG.length === 0) {
  process.stderr.write('verify: not tried on compiled modules: no clang that knows aarch64-linux-gnu is installed\n');
}

for (const clang of CLANG) {
  describe(`a large module compiled by ${clang}`, () => {
    it.each(VARIANTS.map((flags) => [flags]))('has no finding, with %j', (flags) => {
      for (const level of ['-O0', '-O1', '-O2', '-O3', '-Os']) {
        const bytes = compile(clang, [level, ...flags]);
        expect(groupRelocations(bytes).length).toBeGreaterThan(100);
        expect([level, errorsOf(bytes)]).toEqual([level, []]);
      }
    });

    it('has one if a relocation of its groups is gone or names another address', () => {
      expectEachToCount(compile(clang, ['-O2', '-fno-jump-tables']));
    });
  });
}
