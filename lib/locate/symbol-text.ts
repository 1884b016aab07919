/**
 * `_text` from the run address of a symbol. Static functions share names (Debian's 6.1 has 391 such names, `gic_handle_irq`
 * among them), so that which symbol ran there is told by where `_text` can be.
 */
import { formatVa, type Va, va } from '../address.js';
import { AddressError, ImageFormatError, LocateError } from '../errors.js';
import type { Kernel } from '../image/kernel.js';
import type { Geometry } from '../kaslr/layout.js';
import type { Machine } from '../kaslr/place.js';
import { locate } from './locate.js';

/** What of a kernel this needs. */
export type NamedAddresses = Pick<Kernel, 'linkBase' | 'imageSize' | 'symbols' | 'exports'>;

/** As many as fit on a line; names like `__func__.1` have hundreds. */
const LISTED_LIMIT = 8;

/**
 * Link addresses of all symbols of a name, ascending and each once; none if the kernel does not know it.
 * `_text` and `_end` are known to every kernel, though kallsyms leaves them out.
 * @throws ImageFormatError NO_SYMBOLS
 */
export function linkAddressesOf(kernel: NamedAddresses, name: string): Va[] {
  if (name === '_text') return [kernel.linkBase];
  if (name === '_end') return [va(kernel.linkBase + kernel.imageSize)];
  const { names, addresses } = kernel.symbols();
  const found = new Set<Va>();
  for (let i = names.indexOf(name); i >= 0; i = names.indexOf(name, i + 1)) found.add(va(addresses[i]!));
  const exported = found.size === 0 ? kernel.exports().get(name) : undefined;
  return exported === undefined ? [...found] : [exported];
}

/**
 * Looks up link addresses of what moves with the image: neither per-CPU symbols, which stand for their offsets, nor constants
 * outside of the image. Knows no symbol of a kernel without kallsyms.
 */
export function movingSymbols(kernel: NamedAddresses): (name: string) => readonly Va[] {
  const lookUp = (name: string): Va[] => {
    try {
      return linkAddressesOf(kernel, name);
    } catch (error) {
      if (error instanceof ImageFormatError && error.code === 'NO_SYMBOLS') return [];
      throw error;
    }
  };
  let perCpu: readonly (Va | undefined)[] | undefined;
  return (name) => {
    // Not before a name is asked for: it decodes the symbols.
    perCpu ??= ['__per_cpu_start', '__per_cpu_end'].map((bound) => lookUp(bound)[0]);
    const [start, end] = perCpu;
    const isPerCpu = (address: Va): boolean =>
      start !== undefined && end !== undefined && address >= start && address < end;
    const isInside = (address: Va): boolean =>
      address >= kernel.linkBase && address <= kernel.linkBase + kernel.imageSize;
    const all = lookUp(name);
    // One of several that does not move makes the name tell nothing.
    return all.every((address) => isInside(address) && !isPerCpu(address)) ? all : [];
  };
}

/**
 * Run address of `_text` where a symbol of several link addresses ran at `address`: the one that does not contradict the
 * machine, as `locate` judges; where all do, that of the first, for `locate` to say why.
 * @param linked at least one link address
 * @param boots the machine, and the kernel on the CPUs it may have run on
 * @throws LocateError AMBIGUOUS_SYMBOL if several do not; AddressError ADDRESS_RANGE if none leaves `_text` in the address space
 */
export function textOfSymbol(
  { linked, address }: { linked: readonly Va[]; address: Va },
  linkBase: Va,
  boots: { machine: Machine; geometries: readonly Geometry[] },
): Va {
  const textOf = (link: Va): Va => va(address - (link - linkBase));
  const isPossible = (link: Va): boolean => {
    try {
      return locate(boots.machine, textOf(link), boots.geometries).contradictions.length === 0;
    } catch (error) {
      // Off the address space for this one of the symbols, which says nothing of the others.
      if (error instanceof AddressError) return false;
      throw error;
    }
  };
  const possible = linked.length === 1 ? linked : linked.filter(isPossible);
  if (possible.length > 1) {
    const listed = possible.slice(0, LISTED_LIMIT).map((link) => formatVa(link));
    const rest = possible.length - listed.length;
    throw new LocateError(
      'AMBIGUOUS_SYMBOL',
      `the symbol is ambiguous: ${possible.length} of that name may have run there, linked at ${listed.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`,
      { linked: possible.length },
    );
  }
  return textOf(possible[0] ?? linked[0]!);
}
