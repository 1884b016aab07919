/** Modules in the order in which they can be loaded: each after those that its `.modinfo` depends on, as modprobe does it. */
import { ModuleError } from '../errors.js';
import type { ModuleFile } from './module-file.js';

/**
 * Yields each module once. Only one chain of dependencies is open at a time, so that thousands need no more memory than a few.
 * @param names what to load, in order
 * @param open a module by name; undefined where there is none, which leaves its symbols to be missed by whoever needs them
 * @throws ModuleError DEPENDENCY_CYCLE, naming the cycle
 */
export async function* inDependencyOrder(
  names: Iterable<string>,
  open: (name: string) => Promise<ModuleFile | undefined>,
): AsyncGenerator<ModuleFile> {
  const done = new Set<string>();
  const chain: string[] = [];
  async function* visit(name: string): AsyncGenerator<ModuleFile> {
    if (done.has(name)) return;
    if (chain.includes(name)) {
      const cycle = [...chain.slice(chain.indexOf(name)), name];
      throw new ModuleError('DEPENDENCY_CYCLE', `modules depend on each other: ${cycle.join(' -> ')}`, { cycle });
    }
    const file = await open(name);
    if (!file) return;
    chain.push(name);
    for (const dependency of file.modinfo.depends) yield* visit(dependency.replaceAll('-', '_'));
    chain.pop();
    done.add(name);
    yield file;
  }
  for (const name of names) yield* visit(name);
}
