import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ModuleError } from '../../../lib/errors.js';
import { inDependencyOrder } from '../../../lib/module/dependency.js';
import { openModule } from '../../../lib/module/module-file.js';
import { buildModule } from '../../support/object-file.js';

type Graph = Readonly<Record<string, readonly string[]>>;

/** Loads `names` from a tree that holds what the graph has. */
async function orderOf(graph: Graph, names: readonly string[]): Promise<{ order: string[]; opened: string[] }> {
  const opened: string[] = [];
  const open = async (name: string) => {
    const depends = graph[name];
    if (!depends) return undefined;
    opened.push(name);
    return openModule(buildModule({ sections: [] }, `name=${name}`, `depends=${depends.join(',')}`), name);
  };
  const order: string[] = [];
  for await (const { name } of inDependencyOrder(names, open)) order.push(name);
  return { order, opened };
}

describe('inDependencyOrder', () => {
  it('yields what a module depends on first, in the order of depends=', async () => {
    const graph = { xfs: ['crc32c', 'exportfs'], crc32c: ['crypto'], exportfs: [], crypto: [] };
    expect((await orderOf(graph, ['xfs'])).order).toEqual(['crypto', 'crc32c', 'exportfs', 'xfs']);
  });

  it('keeps the order given where nothing depends, and yields each module once', async () => {
    const graph = { a: ['c'], b: ['c'], c: [] };
    expect(await orderOf(graph, ['b', 'a', 'b', 'c'])).toEqual({ order: ['c', 'b', 'a'], opened: ['b', 'c', 'a'] });
  });

  it('finds a dependency spelled with dashes', async () => {
    expect((await orderOf({ snd: ['snd-pcm'], snd_pcm: [] }, ['snd'])).order).toEqual(['snd_pcm', 'snd']);
  });

  it('leaves out what is not there, for the symbols to be missed', async () => {
    expect((await orderOf({ a: ['builtin'] }, ['a', 'nowhere'])).order).toEqual(['a']);
  });

  it.each([
    [{ a: ['a'] }, ['a', 'a']],
    [{ a: ['b'], b: ['a'] }, ['a', 'b', 'a']],
    [{ a: ['b'], b: ['c'], c: ['d', 'b'], d: [] }, ['b', 'c', 'b']],
  ] as [Graph, string[]][])('names the cycle of %j', async (graph, cycle) => {
    const error = await orderOf(graph, ['a']).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ModuleError);
    expect(error).toMatchObject({ code: 'DEPENDENCY_CYCLE', details: { cycle } });
    expect((error as Error).message).toContain(cycle.join(' -> '));
  });

  it('puts every module of a graph without cycles after all that it depends on', async () => {
    const COUNT = 12;
    const name = (i: number): string => `m${i}`;
    // Each module depends on some with lower numbers, in any order.
    const graph = fc.tuple(
      ...Array.from({ length: COUNT }, (_, i) =>
        fc.shuffledSubarray(
          Array.from({ length: i }, (_, j) => name(j)),
          { maxLength: Math.min(i, 4) },
        ),
      ),
    );
    const asked = fc.shuffledSubarray(
      Array.from({ length: COUNT }, (_, i) => name(i)),
      { minLength: 1 },
    );
    await fc.assert(
      fc.asyncProperty(graph, asked, async (rows, names) => {
        const edges: Graph = Object.fromEntries(rows.map((depends, i) => [name(i), depends]));
        const { order } = await orderOf(edges, names);
        const reached = new Set<string>();
        const reach = (one: string): void => {
          reached.add(one);
          edges[one]!.forEach(reach);
        };
        names.forEach(reach);
        expect([...order].sort()).toEqual([...reached].sort());
        for (const [i, one] of order.entries())
          expect(order.slice(0, i)).toEqual(expect.arrayContaining([...edges[one]!]));
      }),
    );
  });
});
