/** A short run of the fuzzer, always the same mutants; `npm run fuzz` makes as many others as wanted. */
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { unpack } from '../../lib/image/container.js';
import { openKernel } from '../../lib/image/kernel.js';
import { openModule } from '../../lib/module/module-file.js';
import { unlikelyValue } from '../../scripts/fuzz/byte-mutation.js';
import { type Campaign, type Failure, makeMutant, tryMutant } from '../../scripts/fuzz/campaign.js';
import { searchDump } from '../../scripts/fuzz/dump-subject.js';
import { exercise } from '../../scripts/fuzz/exercise.js';
import { Random } from '../../scripts/fuzz/random.js';
import { KINDS, readSubjects } from '../../scripts/fuzz/subject.js';

const root = resolve(import.meta.dirname, '../..');
const campaign: Campaign = { root, seed: 'test', subjects: readSubjects(root) };
const MUTANTS = 400;

describe('the fuzzer', () => {
  it('makes each mutant from its number alone, different ones from different numbers', () => {
    const mutants = Array.from({ length: 50 }, (_, index) => makeMutant(campaign, index));
    for (const index of [49, 0, 25]) expect(makeMutant(campaign, index)).toEqual(mutants[index]);
    const changed = mutants.filter(({ subject, bytes }) => Buffer.compare(subject.bytes, bytes) !== 0);
    expect(changed.length).toBeGreaterThan(40);
    expect(new Set(mutants.map(({ bytes }) => Buffer.from(bytes).toString('latin1'))).size).toBeGreaterThan(40);
  });

  it('begins with sound files, and leaves them as they are', async () => {
    const before = campaign.subjects.map(({ bytes }) => Buffer.from(bytes));
    for (let index = 0; index < 50; index++) makeMutant(campaign, index);
    campaign.subjects.forEach(({ bytes }, i) => {
      expect(Buffer.compare(bytes, before[i]!)).toBe(0);
    });
    for (const { kind, bytes } of campaign.subjects) {
      if (kind === 'module') expect(openModule(bytes, 'x').symbols.count).toBeGreaterThan(1);
      if (kind === 'vmlinux' || kind === 'image')
        expect((await openKernel(bytes)).symbols().count).toBeGreaterThan(100);
      if (kind === 'container') expect((await unpack(bytes)).compression).not.toBe('none');
      if (kind === 'dump') expect(() => searchDump(root, bytes)).not.toThrow();
    }
  });

  it('has files of every kind', () => {
    expect(new Set(campaign.subjects.map(({ kind }) => kind))).toEqual(new Set(KINDS));
  });

  it('reports what escapes: an error that is not the library’s own', async () => {
    const bytes = new Proxy(new Uint8Array(64), {
      get: (target, key) => {
        if (key === 'length') throw new TypeError('an escaped error');
        return Reflect.get(target, key, target) as unknown;
      },
    });
    await expect(exercise({ kind: 'container', name: 'trap', bytes }, bytes, root)).rejects.toThrow('an escaped error');
  });

  it('tries numbers at the edge of every width', () => {
    const random = new Random('edges');
    const values = new Set(Array.from({ length: 2000 }, () => unlikelyValue(100n, 1000, random)));
    for (const edge of [0n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n, 99n, 101n]) {
      expect(values).toContain(edge);
    }
  });
});

it(`${MUTANTS} damaged files raise the library’s own errors, or none`, async () => {
  const failures: (Failure | undefined)[] = [];
  for (let index = 0; index < MUTANTS; index++) failures.push(await tryMutant(campaign, index));
  expect(failures.filter((failure) => failure !== undefined)).toEqual([]);
});
