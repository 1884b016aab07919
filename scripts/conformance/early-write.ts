/**
 * What the kernel writes into its image before __primary_switched, apart from its relocations: the only differences
 * that the comparison lets pass.
 *
 * Each row says where, why, and what the word may become, so that not even these places are taken on trust.
 *
 * @see Linux 5.10, 6.1, 6.12, 7.3 arch/arm64/kernel/head.S, kernel/kaslr.c, kernel/pi/
 */
import { toU64 } from '../../lib/address.js';
import type { BootFacts } from './boot-facts.js';
import { type ImageRange, namesData, symbolRanges } from './symbol-range.js';

export interface ChangedWord {
  /** What kaslrkit says. */
  readonly before: bigint;
  readonly after: bigint;
}

export interface EarlyWrite {
  readonly reason: string;
  readonly where: (boot: BootFacts) => readonly ImageRange[];
  readonly holds: (word: ChangedWord, boot: BootFacts) => boolean;
}

const wholeImage = ({ kernel }: BootFacts): ImageRange[] => [{ start: 0, end: kernel.imageSize }];

/** The objects of these names; where the kernel names no data, what a word holds must do. */
const named = (names: RegExp) => (boot: BootFacts) =>
  namesData(boot.kernel) ? symbolRanges(boot.kernel, names) : wholeImage(boot);

/** The same where the value is no evidence. */
const namedOnly = (names: RegExp) => (boot: BootFacts) => symbolRanges(boot.kernel, names);

/** Before 6.0 the kernel first runs at its link address, up to kaslr_early_init(), and then again from __primary_switched. */
const runsTwice = ({ kernel }: BootFacts): boolean => kernel.era.moduleSeed === 'image';

/** THREAD_SIZE with pages of up to 16K; with 64K pages one page. */
const stackSize = (pageSize: number): number => Math.max(pageSize, 0x4000);

/** init_stack, the first object of the data segment. */
function initialStack({ kernel, boundaries: { _data: data, _text: text } }: BootFacts): ImageRange[] {
  if (data === undefined || text === undefined) return [];
  return [{ start: data - text, end: data - text + stackSize(kernel.pageSize) }];
}

/** The PE/COFF certificate table: behind the data of a signed Image, where .bss will be. */
function signature({ kernel: { image } }: BootFacts): ImageRange[] {
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  const header = view.getUint32(0x3c, true);
  const entry = header + 24 + 112 + 4 * 8;
  if (header === 0 || entry + 8 > image.length) return [];
  const start = view.getUint32(entry, true);
  return [{ start, end: start + view.getUint32(entry + 4, true) }];
}

/** Whether a field that was zero now holds `value`, and nothing else of the word has changed. */
function gains({ before, after }: ChangedWord, value: bigint, bits: 8 | 16): boolean {
  for (let shift = 0n; shift < 64n; shift += BigInt(bits)) {
    const field = ((1n << BigInt(bits)) - 1n) << shift;
    if ((before & field) === 0n && after === (before | (value << shift))) return true;
  }
  return false;
}

const TABLE_ADDRESS = ((1n << 48n) - 1n) & ~0xfffn;

/** A valid descriptor where there was none, for memory that the machine has. */
function isNewDescriptor({ before, after }: ChangedWord, { memory: { start, size } }: BootFacts): boolean {
  const address = after & TABLE_ADDRESS;
  return before === 0n && (after & 1n) === 1n && address >= BigInt(start) && address < BigInt(start + size);
}

/** BOOT_CPU_MODE_EL1 or _EL2; bit 32 of __boot_status says VHE, the halves of __boot_cpu_mode are two such words. */
const BOOT_MODE = new Set([0xe11n, 0xe12n]);
const isBootMode = (after: bigint): boolean =>
  BOOT_MODE.has(after & 0xffffffffn) && (after >> 32n <= 1n || BOOT_MODE.has(after >> 32n));

/** `paciasp` to `str x30, [x18], #8`, `autiasp` to `ldr x30, [x18, #-8]!`. */
const SHADOW_STACK: ReadonlyMap<bigint, bigint> = new Map([
  [0xd503233fn, 0xf800865en],
  [0xd50323bfn, 0xf85f8e5en],
]);

function isShadowStack({ before, after }: ChangedWord): boolean {
  return [0n, 32n].every((shift) => {
    const was = (before >> shift) & 0xffffffffn;
    const is = (after >> shift) & 0xffffffffn;
    return was === is || SHADOW_STACK.get(was) === is;
  });
}

export const EARLY_WRITES: readonly EarlyWrite[] = [
  {
    reason: 'translation tables',
    // The tables at the start of init data have no name of their own in 7.3.
    where: named(/^(init_idmap_pg_dir|init_pg_dir|idmap_pg_dir|swapper_pg_dir|__initdata_begin|__pi_ptes(\.\d+)?)$/),
    holds: isNewDescriptor,
  },
  {
    reason: 'device tree address',
    where: named(/^(boot_args|__fdt_pointer)$/),
    holds: ({ before, after }, { deviceTree }) => before === 0n && after === BigInt(deviceTree),
  },
  {
    reason: 'exception level at boot',
    where: named(/^(__boot_cpu_mode|(__pi_)*__boot_status)$/),
    holds: ({ after }) => isBootMode(after),
  },
  {
    reason: 'seed of the linear map',
    where: named(/^(__pi_)?memstart_offset_seed$/),
    holds: (word, { kernel, seed }) => {
      const bits = kernel.era.linearMapSeed;
      return bits !== undefined && gains(word, (seed >> BigInt(bits.lsb)) & 0xffffn, 16);
    },
  },
  {
    reason: 'use of non-global mappings',
    where: namedOnly(/^(__pi_)?arm64_use_ng_mappings$/),
    holds: (word) => gains(word, 1n, 8),
  },
  {
    reason: 'VA bits',
    where: named(/^vabits_actual$/),
    holds: ({ before, after }, { vaBits }) => before === 0n && after === BigInt(vaBits),
  },
  {
    // Decided by the image's seed in those kernels, so this checks kaslrkit, too.
    reason: 'base of the module region',
    where: named(/^module_alloc_base$/),
    holds: ({ after }, { placement: { modules } }) => 'base' in modules && after === toU64(modules.base),
  },
  {
    reason: 'virtual less physical address, at the link address',
    where: named(/^kimage_voffset$/),
    holds: ({ after }, boot) =>
      runsTwice(boot) && after === BigInt.asUintN(64, toU64(boot.kernel.linkBase) - BigInt(boot.phys)),
  },
  { reason: 'stack of the first run', where: initialStack, holds: (_, boot) => runsTwice(boot) },
  { reason: 'signature cleared with .bss', where: signature, holds: ({ after }) => after === 0n },
  { reason: 'pointer signing made a shadow call stack', where: wholeImage, holds: isShadowStack },
];
