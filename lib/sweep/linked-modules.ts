/**
 * Modules in load order with every branch resolved: one table of rows over all of them, in memory that threads share.
 *
 * A frame is now IMAGE, NOWHERE, or a region of any module: `module * regionCount + region`.
 */
import { ModuleError } from '../errors.js';
import type { PltFormat } from '../plt/format.js';
import { FIRST_IMPORT, IMAGE, NOWHERE } from './branch-destination.js';
import { entryIds } from './entry-id.js';
import type { ModuleColumn } from './module-column.js';
import type { SkippedSlots } from './slot-count.js';

export interface LinkedModules {
  readonly names: readonly string[];
  readonly reserved: readonly number[];
  readonly skipped: readonly (SkippedSlots | undefined)[];
  readonly regionCount: number;
  /** Bytes of each region of each module; 0: not allocated. */
  readonly sizes: Float64Array;
  /** Modules before each one that it depends on: without them it is not loaded. */
  readonly needs: readonly (readonly number[])[];
  /** The first row of each module, and the number of all rows at the end. */
  readonly rowStarts: Uint32Array;
  readonly part: Uint8Array;
  readonly kind: Uint8Array;
  readonly place: Int32Array;
  readonly first: Uint32Array;
  readonly last: Uint32Array;
  readonly frame: Int32Array;
  readonly offset: Float64Array;
  readonly id: Int32Array;
}

interface Destination {
  readonly module: number;
  readonly frame: number;
  readonly offset: number;
}

/**
 * Resolves what modules take from each other: from those loaded before, the first that exports a name.
 * @param modules in load order
 * @throws ModuleError UNDEFINED_SYMBOLS naming the module, and in `details.symbols` what nobody before it exports
 */
export function linkModules(modules: readonly ModuleColumn[], reuse: PltFormat['reuse']): LinkedModules {
  const regionCount = Math.max(0, ...modules.map(({ sizes }) => sizes.length));
  const count = modules.reduce((sum, { branches }) => sum + branches.count, 0);
  const shared = (bytes: number): SharedArrayBuffer => new SharedArrayBuffer(bytes);
  const linked = {
    names: modules.map(({ name }) => name),
    reserved: modules.map(({ reserved }) => reserved),
    skipped: modules.map(({ skipped }) => skipped),
    regionCount,
    sizes: new Float64Array(shared(8 * modules.length * regionCount)),
    needs: [] as number[][],
    rowStarts: new Uint32Array(shared(4 * (modules.length + 1))),
    part: new Uint8Array(shared(count)),
    kind: new Uint8Array(shared(count)),
    place: new Int32Array(shared(4 * count)),
    first: new Uint32Array(shared(4 * count)),
    last: new Uint32Array(shared(4 * count)),
    frame: new Int32Array(shared(4 * count)),
    offset: new Float64Array(shared(8 * count)),
    id: new Int32Array(shared(4 * count)),
  };
  const indexOf = new Map(modules.map(({ name }, index) => [name, index]));
  const exported = new Map<string, Destination>();
  let start = 0;
  modules.forEach((module, index) => {
    const { branches } = module;
    const imports = branches.imports.map(({ name }) => exported.get(name));
    requireSymbols(module, imports);
    const used = imports.flatMap((found) => (found ? [found.module] : []));
    // Data that is taken from a module shows in no branch.
    const depended = module.depends.flatMap((name) => indexOf.get(name) ?? []).filter((other) => other < index);
    linked.needs.push([...new Set([...used, ...depended])]);
    linked.sizes.set(module.sizes, index * regionCount);
    linked.rowStarts[index] = start;
    linked.part.set(branches.part, start);
    linked.kind.set(branches.kind, start);
    linked.first.set(branches.first, start);
    linked.last.set(branches.last, start);
    const { frame, offset } = resolveRows(module, imports, index * regionCount);
    linked.frame.set(frame, start);
    linked.offset.set(offset, start);
    linked.place.set(
      Int32Array.from(branches.region, (region) => index * regionCount + region),
      start,
    );
    linked.id.set(entryIds({ ...branches, frame, offset }, reuse), start);
    start += branches.count;
    addExports(exported, module, index, regionCount);
  });
  linked.rowStarts[modules.length] = start;
  return linked;
}

function requireSymbols({ name, branches }: ModuleColumn, imports: readonly (Destination | undefined)[]): void {
  const symbols = branches.imports.filter(({ isWeak }, i) => !imports[i] && !isWeak).map((missing) => missing.name);
  if (symbols.length === 0) return;
  const listed = symbols.map((symbol) => `'${symbol}'`).join(', ');
  throw new ModuleError('UNDEFINED_SYMBOLS', `${name}: unknown symbol ${listed}`, { module: name, symbols });
}

function resolveRows(
  { branches }: ModuleColumn,
  imports: readonly (Destination | undefined)[],
  ownRegions: number,
): { frame: Int32Array; offset: Float64Array } {
  const frame = branches.frame.slice();
  const offset = branches.offset.slice();
  for (let row = 0; row < branches.count; row++) {
    if (frame[row] === IMAGE || frame[row] === NOWHERE) continue;
    if (frame[row]! < FIRST_IMPORT) {
      frame[row]! += ownRegions;
      continue;
    }
    const found = imports[frame[row]! - FIRST_IMPORT];
    frame[row] = found?.frame ?? NOWHERE;
    offset[row]! += found?.offset ?? 0;
  }
  return { frame, offset };
}

function addExports(
  exported: Map<string, Destination>,
  { exports: { names, frames, offsets } }: ModuleColumn,
  module: number,
  regionCount: number,
): void {
  names.forEach((name, i) => {
    if (exported.has(name)) return;
    const frame = frames[i]! >= 0 ? module * regionCount + frames[i]! : NOWHERE;
    exported.set(name, { module, frame, offset: offsets[i]! });
  });
}
