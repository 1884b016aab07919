/**
 * The leaves under TTBR1_EL1 of a stopped machine, found by the library's own walker.
 *
 * The walker reads words when it needs them, the stub answers later: so the walk is repeated, each time one table
 * further, until every table it meets has been fetched.
 */

import type { Va } from '../../lib/address.js';
import { type Leaf, type TranslationTables, walkLeaves } from '../../lib/mmu/walker.js';
import type { GdbClient } from './gdb-client.js';

export type Regime = TranslationTables['regime'];

/** What TCR_EL1 and TTBR1_EL1 say: Arm ARM, D17.2. */
export interface Translation {
  readonly regime: Regime;
  readonly root: number;
}

const PAGE_SIZE: Readonly<Record<number, number>> = { 1: 16384, 2: 4096, 3: 65536 };
const ALIGN = 4096;

const field = (word: bigint, msb: bigint, lsb: bigint): number =>
  Number((word >> lsb) & ((1n << (msb - lsb + 1n)) - 1n));

/** The regime of kernel addresses. TTBR1_EL1 holds address bits 51:48 in its bits 5:2 where addresses have 52 bits. */
export function decodeTranslation(tcr: bigint, ttbr1: bigint): Translation {
  const pageSize = PAGE_SIZE[field(tcr, 31n, 30n)] ?? 4096;
  const lpa2 = field(tcr, 59n, 59n) === 1;
  const wide = lpa2 || (pageSize === 65536 && field(tcr, 34n, 32n) === 6);
  const low = wide ? field(ttbr1, 47n, 6n) * 64 + field(ttbr1, 5n, 2n) * 2 ** 48 : field(ttbr1, 47n, 1n) * 2;
  const format = lpa2 ? 'lpa2' : wide ? '52-bit' : '48-bit';
  return { regime: { pageSize, vaBits: 64 - field(tcr, 21n, 16n), format }, root: low };
}

class NotFetched extends Error {
  constructor(readonly address: number) {
    super('a table that is not fetched yet');
  }
}

/** Every leaf that maps part of `range`, and the registers the walk started from. @throws GdbError */
export async function readLeaves(
  gdb: GdbClient,
  range: { start: Va; end: Va },
): Promise<{ regime: Regime; leaves: Leaf[] }> {
  const { regime, root } = decodeTranslation(await gdb.readRegister('TCR_EL1'), await gdb.readRegister('TTBR1_EL1'));
  const fetched = new Map<number, DataView>();
  const read = (address: number): bigint => {
    const page = Math.floor(address / ALIGN) * ALIGN;
    const view = fetched.get(page);
    if (view === undefined) throw new NotFetched(page);
    return view.getBigUint64(address - page, true);
  };
  await gdb.physicalMemory(true);
  try {
    for (;;) {
      try {
        return { regime, leaves: [...walkLeaves({ regime, root, read }, range)] };
      } catch (error) {
        if (!(error instanceof NotFetched)) throw error;
        const bytes = await gdb.readMemory(error.address, ALIGN);
        fetched.set(error.address, new DataView(bytes.buffer, bytes.byteOffset, ALIGN));
      }
    }
  } finally {
    await gdb.physicalMemory(false);
  }
}
