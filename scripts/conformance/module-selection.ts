/**
 * Which modules a boot loads: some of a tree, drawn by the boot's own seed so that it can be repeated, and what they
 * depend on.
 */
import seedrandom from 'seedrandom';
import { findModules, readModule } from '../../cli/module-files.js';
import { formatU64 } from '../../lib/address.js';
import { ModuleError } from '../../lib/errors.js';
import { inDependencyOrder } from '../../lib/module/dependency.js';
import type { ModuleFile } from '../../lib/module/module-file.js';

/** A copy in random order (Fisher and Yates). */
function shuffle<T>(items: readonly T[], stream: string): T[] {
  const random = seedrandom(stream);
  const shuffled = [...items];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  return shuffled;
}

/** A tree of modules: paths by name. */
export type ModuleTree = ReadonlyMap<string, string>;

export async function openModuleTree(directory: string): Promise<ModuleTree> {
  return findModules(directory);
}

/** Live patches are no modules that kaslrkit knows how to load. */
async function open(tree: ModuleTree, name: string): Promise<ModuleFile | undefined> {
  const file = tree.get(name);
  try {
    return file === undefined ? undefined : await readModule(file);
  } catch (error) {
    if (error instanceof Error && error.cause instanceof ModuleError && error.cause.code === 'LIVEPATCH')
      return undefined;
    throw error;
  }
}

/** `count` modules in an order they can be loaded in; fewer if the tree has fewer. */
export async function drawModules(tree: ModuleTree, seed: bigint, count: number): Promise<ModuleFile[]> {
  return takeModules(tree, shuffle([...tree.keys()], formatU64(seed)), count);
}

async function takeModules(tree: ModuleTree, names: readonly string[], count: number): Promise<ModuleFile[]> {
  const files: ModuleFile[] = [];
  if (count === 0) return files;
  for await (const file of inDependencyOrder(names, (name) => open(tree, name))) {
    files.push(file);
    if (files.length === count) break;
  }
  return files;
}
