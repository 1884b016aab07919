/** The order in which a boot loads modules: as listed, but each after those it depends on, as modprobe has it. */
import { ModuleError } from '../errors.js';

interface Dependent {
  readonly name: string;
  readonly depends: readonly string[];
}

/**
 * All of `modules`, each once; dependencies that are not among them are passed over.
 * @param first names of modules to load before the others, in order; names of none are passed over
 * @throws ModuleError DEPENDENCY_CYCLE, naming the cycle
 */
export function loadOrder<Module extends Dependent>(
  modules: readonly Module[],
  first: readonly string[] = [],
): Module[] {
  const byName = new Map(modules.map((module) => [module.name, module]));
  const ordered = new Set<Module>();
  const chain: string[] = [];
  const visit = (name: string): void => {
    const module = byName.get(name);
    if (!module || ordered.has(module)) return;
    if (chain.includes(name)) {
      const cycle = [...chain.slice(chain.indexOf(name)), name];
      throw new ModuleError('DEPENDENCY_CYCLE', `modules depend on each other: ${cycle.join(' -> ')}`, { cycle });
    }
    chain.push(name);
    for (const dependency of module.depends) visit(dependency);
    chain.pop();
    ordered.add(module);
  };
  for (const name of first) visit(name);
  for (const { name } of modules) visit(name);
  return [...ordered];
}
