/**
 * The symbols between which arm64 Linux maps its image, and what the image itself tells where kallsyms is silent.
 *
 * Kernels without KALLSYMS_ALL list text symbols only, so the ends of the init and data segments are missing. The
 * linker script puts several names at one address; the Image and PE/COFF headers give three of the addresses; the
 * start of the data is where the relocation of `init_task.stack` points, since init_stack is the first thing there.
 *
 * @see Linux 6.12 arch/arm64/kernel/vmlinux.lds.S, efi-header.S
 */
import { formatVa, type Va, va } from '../address.js';
import { MappingError } from '../errors.js';
import { firstTargetBeyond, readImageLayout } from './image-layout.js';

/** In the order of their addresses; names that stand at one address in one row. */
const BOUNDARY_ROWS = [
  ['_text'],
  ['_stext'],
  ['_etext', '__start_rodata'],
  ['__init_begin', '__inittext_begin', '_sinittext'],
  ['__inittext_end', '__initdata_begin'],
  ['__initdata_end', '__init_end', '_data', '_sdata'],
  ['_end'],
] as const;

export type BoundarySymbol = (typeof BOUNDARY_ROWS)[number][number];

/** Every name worth looking up in a symbol table. */
export const BOUNDARY_SYMBOLS: readonly BoundarySymbol[] = BOUNDARY_ROWS.flat();

/** Run addresses. */
export type Boundaries = Readonly<Partial<Record<BoundarySymbol, Va>>>;

export interface BoundarySources {
  /** What the symbol table has, at run addresses. */
  readonly symbols: Boundaries;
  /** Run address of `_text`. */
  readonly text: Va;
  /** The raw Image, uncompressed. */
  readonly image?: Uint8Array;
  /** Its RELATIVE relocations: a table of 24-byte records at link addresses. */
  readonly rela?: { readonly offset: number; readonly count: number; readonly linkBase: Va };
}

export interface InferredBoundaries {
  /** Without the symbols that nothing tells; whoever needs one of those names it in an error. */
  readonly boundaries: Boundaries;
  readonly inferred: readonly { readonly symbol: BoundarySymbol; readonly from: string }[];
}

/**
 * Completes a set of boundary symbols from the image.
 * @throws MappingError BAD_RANGE naming a symbol that is out of order; nothing else of the image is trusted or checked
 */
export function inferBoundaries(sources: BoundarySources): InferredBoundaries {
  const found = new Map<BoundarySymbol, Va>();
  for (const symbol of BOUNDARY_SYMBOLS) {
    const address = sources.symbols[symbol];
    if (address !== undefined) found.set(symbol, address);
  }
  const inferred: { symbol: BoundarySymbol; from: string }[] = [];
  const infer = (symbol: BoundarySymbol, address: number | undefined, from: string): void => {
    if (address === undefined || found.has(symbol)) return;
    found.set(symbol, va(address));
    inferred.push({ symbol, from });
  };

  const { text, image, rela } = sources;
  infer('_text', text, 'the run address of the image');
  spreadRows(found, infer);
  if (image !== undefined) {
    const layout = readImageLayout(image);
    const at = (offset: number | undefined): number | undefined => (offset === undefined ? undefined : text + offset);
    infer('_end', at(layout.imageSize), 'image_size in the Image header');
    infer('_stext', at(layout.textOffset), 'VirtualAddress of the PE section .text');
    infer('__initdata_begin', at(layout.dataOffset), 'VirtualAddress of the PE section .data');
    if (rela !== undefined && !found.has('_data')) {
      const target = firstTargetBeyond(image, rela);
      const aligned = target !== undefined && target % layout.sectionAlignment === 0;
      infer('_data', aligned ? at(target) : undefined, 'the first relocation target beyond .rela.dyn (init_stack)');
    }
  }
  spreadRows(found, infer);
  checkOrder(found);
  return { boundaries: Object.fromEntries(found), inferred };
}

type Infer = (symbol: BoundarySymbol, address: number | undefined, from: string) => void;

function spreadRows(found: ReadonlyMap<BoundarySymbol, Va>, infer: Infer): void {
  for (const row of BOUNDARY_ROWS) {
    const known = row.find((symbol) => found.has(symbol));
    if (known === undefined) continue;
    for (const symbol of row) infer(symbol, found.get(known), `${known}, at the same address`);
  }
}

function checkOrder(found: ReadonlyMap<BoundarySymbol, Va>): void {
  let last: BoundarySymbol | undefined;
  for (const symbol of BOUNDARY_SYMBOLS) {
    const address = found.get(symbol);
    if (address === undefined) continue;
    if (last !== undefined && address < found.get(last)!) {
      throw new MappingError('BAD_RANGE', `${symbol} at ${formatVa(address)} lies below ${last}`, {
        symbol,
        address: formatVa(address),
        below: last,
      });
    }
    last = symbol;
  }
}
