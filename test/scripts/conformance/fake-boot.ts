/** A kernel that was never built, with the objects that early boot writes, and the facts of a boot of it. */
import { va } from '../../../lib/address.js';
import { type Kernel, openKernel } from '../../../lib/image/kernel.js';
import { geometryOf } from '../../../lib/kaslr/layout.js';
import { place } from '../../../lib/kaslr/place.js';
import { type BootFacts, findBoundaries } from '../../../scripts/conformance/boot-facts.js';
import { buildElf, buildRelas, buildSymbols } from '../../support/elf-builder.js';
import { BANNER_AT, buildImage } from '../../support/image-builder.js';

/** KIMAGE_VADDR of the versions there are. */
export const BASES = { '5.10': 0xffff800010000000n, '6.12': 0xffff800080000000n } as const;
const SIZE = 0x60000;
export const RELOCATED = 0x28000;
export const SEED = 0xfedcba9876543210n;
export const PHYS = 0x40200000;
export const DEVICE_TREE = 0x48200000;

/** Offsets from `_text`. */
export const OBJECTS = {
  _text: 0,
  _stext: 0x10000,
  vectors: 0x10800,
  module_finalize: 0x11000,
  do_init_module: 0x11100,
  __arm64_sys_reboot: 0x11200,
  _etext: 0x20000,
  swapper_pg_dir: 0x2e000,
  end_of_tables: 0x2f000,
  __inittext_begin: 0x30000,
  __primary_switched: 0x30100,
  __inittext_end: 0x40000,
  __initdata_begin: 0x40000,
  __pi_memstart_offset_seed: 0x48000,
  end_of_seed: 0x48002,
  _data: 0x50000,
  boot_args: 0x50100,
  mmlist_lock: 0x50120,
  arm64_use_ng_mappings: 0x50208,
  end_of_flag: 0x50209,
  __boot_cpu_mode: 0x50300,
  end_of_mode: 0x50308,
  _end: SIZE,
} as const;

const RELA = { at: 0x41000, size: 24 };

/** @param hidden names of objects left out of the symbol table */
export async function fakeKernel(
  options: { version?: keyof typeof BASES; hidden?: readonly string[] } = {},
): Promise<Kernel> {
  const { version = '6.12', hidden = [] } = options;
  const base = BASES[version];
  const record = buildRelas([{ offset: base + BigInt(RELOCATED), type: 0x403, addend: base + 0x1234n }]);
  const bytes = buildImage({ size: SIZE, base, banner: undefined });
  bytes.set(Buffer.from(`Linux version ${version}.0-test (kaslrkit) #1\n`), BANNER_AT);
  bytes.set(record, RELA.at);
  const symbols = Object.entries(OBJECTS)
    .filter(([name]) => !hidden.includes(name))
    .map(([name, offset]) => ({ name, value: base + BigInt(offset), bind: 1, shndx: 1 }));
  const file = buildElf({
    type: 3,
    entry: base,
    sections: [
      { name: '.head.text', flags: 6n, addr: base, data: bytes, addralign: 65536n },
      { name: '.rela.dyn', type: 4, flags: 2n, addr: base + BigInt(RELA.at), data: record, addralign: 8n },
      ...buildSymbols(symbols, 4),
    ],
    segments: [{ vaddr: base, section: 0 }],
  });
  return openKernel(file);
}

export function fakeBoot(kernel: Kernel, vaBits = 48): BootFacts {
  const { era, imageSize, linkBase } = kernel;
  const geometry = geometryOf(kernel);
  const placement = place({ era, geometry, imageSize, linkBase, phys: BigInt(PHYS) }, { seed: SEED });
  return {
    kernel,
    seed: SEED,
    phys: PHYS,
    deviceTree: DEVICE_TREE,
    memory: { start: 0x40000000, size: 0x40000000 },
    placement,
    vaBits,
    boundaries: findBoundaries(kernel, placement),
  };
}

/** Where an object is in that boot. */
export const runAddressOf = ({ placement }: BootFacts, name: keyof typeof OBJECTS): number =>
  va(placement.text + OBJECTS[name]);
