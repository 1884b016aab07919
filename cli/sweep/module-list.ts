/** The modules of a sweep: what the command line names, by file or folder, less what does not match. */
import { statSync } from 'node:fs';
import { findModules, nameOfFile } from '../module-files.js';
import { aboutFile, UsageError } from '../output/error.js';

/** Path by module name, as given or sorted by path within a folder. */
export async function listModules(paths: readonly string[]): Promise<Map<string, string>> {
  const modules = new Map<string, string>();
  for (const path of paths) {
    const isFolder = await aboutFile(path, () => statSync(path).isDirectory());
    const found = isFolder ? await findModules(path) : new Map([[nameOfFile(path), path]]);
    for (const [name, file] of found) modules.set(name, file);
  }
  return modules;
}

/**
 * The names that a glob matches: `*`, `?` and `[a-z]`, dashes as underscores, as the kernel spells modules.
 * @throws UsageError if none do
 */
export function matchingNames(names: Iterable<string>, glob: string): string[] {
  const pattern = globPattern(glob);
  const matching = [...names].filter((name) => pattern.test(name));
  if (matching.length === 0) throw new UsageError(`no module matches --match '${glob}'`);
  return matching;
}

function globPattern(glob: string): RegExp {
  const parts = glob.split(/(\*|\?|\[[^\]]+\])/).map((part) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    if (part.startsWith('[') && part.endsWith(']') && part.length > 2) {
      const negated = part[1] === '!' || part[1] === '^';
      const members = part.slice(negated ? 2 : 1, -1).replaceAll(/[\\\]^]/g, '\\$&');
      return `[${negated ? '^' : ''}${members}]`;
    }
    return part.replaceAll('-', '_').replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  });
  try {
    return new RegExp(`^${parts.join('')}$`);
  } catch {
    throw new UsageError(`--match '${glob}' is no glob`);
  }
}
