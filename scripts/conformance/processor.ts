/** What the machine's CPU is, as far as it decides addresses: VA bits for each page size, random numbers, one erratum. */
import type { GdbClient } from './gdb-client.js';

export interface Processor {
  /** VA bits that the CPU offers with pages of this size; absent where it has no such pages. */
  readonly vaBits: ReadonlyMap<number, number>;
  /** FEAT_RNG, of which kernels make a seed if they have none, and before 6.0 even if they have one. */
  readonly hasRandomNumbers: boolean;
}

const field = (register: bigint, lsb: number): number => Number((register >> BigInt(lsb)) & 0xfn);

/**
 * Decodes ID_AA64MMFR0_EL1 (TGran4, TGran64, TGran16) and ID_AA64MMFR2_EL1 (VARange): Arm ARM, D17.2.
 * 52 bits need FEAT_LPA2 with 4K and 16K pages, FEAT_LVA with 64K pages.
 */
export function decodeVaBits(mmfr0: bigint, mmfr2: bigint): Map<number, number> {
  const vaBits = new Map<number, number>();
  const tgran4 = field(mmfr0, 28);
  const tgran16 = field(mmfr0, 20);
  if (tgran4 <= 1) vaBits.set(4096, tgran4 === 1 ? 52 : 48);
  if (tgran16 >= 1) vaBits.set(16384, tgran16 >= 2 ? 52 : 48);
  if (field(mmfr0, 24) === 0) vaBits.set(65536, field(mmfr2, 16) >= 1 ? 52 : 48);
  return vaBits;
}

export async function readProcessor(gdb: GdbClient): Promise<Processor> {
  const mmfr0 = await gdb.readRegister('ID_AA64MMFR0_EL1');
  const mmfr2 = await gdb.readRegister('ID_AA64MMFR2_EL1');
  const isar0 = await gdb.readRegister('ID_AA64ISAR0_EL1');
  return { vaBits: decodeVaBits(mmfr0, mmfr2), hasRandomNumbers: field(isar0, 60) !== 0 };
}

/**
 * Whether kernels work around Cortex-A53 erratum 843419 in modules.
 * @param cpu as QEMU takes it, whose stub does not show MIDR_EL1
 */
export function hasErratum843419(cpu: string): boolean {
  return cpu.split(',')[0] === 'cortex-a53';
}
