/** The report of a real kernel and all its modules: small, complete, and its boots what loading the modules makes of them. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, it } from '@jest/globals';
import { findModules } from '../../cli/module-files.js';
import { parseVa } from '../../lib/address.js';
import { placeModules } from '../../lib/report/page/module-place.js';
import { isMissing, type Part, type ReportData } from '../../lib/report/report-data.js';
import { run, temporaryFolder } from '../support/cli.js';
import { describeKernel, oraclesIn, readOracle } from './support/kernels.js';

interface Loaded {
  text: string;
  modules: {
    name: string;
    sections: { name: string; address: string }[];
    plt: { core: { used: number }; init: { used: number } };
  }[];
}

const MINUTES = 60_000;
const LIMIT = 3_000_000;
/** One far from the image, where every call needs the PLT, and one near. */
const BOOTS = [0, 7];

function present<T extends object>(part: Part<T>): T {
  if (isMissing(part)) throw new Error(part.missing);
  return part;
}

const KERNELS = oraclesIn('images')
  .map((name) => readOracle<{ id: string; sha256: string }>(name))
  .filter(({ id }) => /^debian-6\.1\./.test(id));

for (const { id, sha256 } of KERNELS) {
  describeKernel(id, sha256, (kernel) => {
    const modules = join(dirname(kernel).replace(/\/boot$/, ''));
    const file = join(temporaryFolder(), 'report.html');
    let html: string;
    let data: ReportData;

    beforeAll(() => {
      const { status, stderr } = run(['report', '--kernel', kernel, '--modules', modules, '-o', file]);
      expect([status, stderr]).toEqual([0, '']);
      html = readFileSync(file, 'utf8');
      data = JSON.parse(/id="report">(.*?)<\/script>/s.exec(html)![1]!) as ReportData;
    }, 10 * MINUTES);

    it('is below 3 MB with all of the modules', () => {
      const { names, refused } = present(data.modules);
      expect([names.length, refused]).toEqual([3685, []]);
      expect(Buffer.byteLength(html)).toBeLessThan(LIMIT);
      for (const part of [data.segments, data.plts, data.entropy, data.mapping, data.findings]) {
        expect(isMissing(part)).toBe(false);
      }
    });

    it.each(BOOTS)(
      'has every module of boot %d where load puts it, with the PLT entries that load uses',
      async (index) => {
        const boot = data.boots[index]!;
        const files = [...(await findModules(modules)).values()];
        const args = ['--kernel', kernel, '--seed', boot.seed!, '--module-seed', boot.moduleSeed!, '--json'];
        const loaded = JSON.parse(run(['load', ...files, ...args]).stdout) as Loaded;
        const columns = present(data.modules);
        const { pattern, patterns } = present(present(data.plts).used);
        expect(loaded.text).toBe(boot.text);
        expect(loaded.modules.map(({ name }) => name)).toEqual(columns.names);
        expect(loaded.modules.map(({ plt }) => plt.core.used + plt.init.used)).toEqual(patterns[pattern[index]!]);

        const placed = placeModules(boot, columns, { ...data.kernel, isLoaded: () => true });
        const outside = placed.flatMap(({ start, end, module }) => {
          const sections = loaded.modules[module]!.sections.filter(({ name }) => !name.startsWith('.init'));
          const addresses = sections.map(({ address }) => parseVa(address, 'address'));
          const isFull = addresses.some((address) => start <= address && address < end);
          const isOver = addresses.some((address) => address < start || address >= end);
          return isFull && !isOver ? [] : [columns.names[module]!];
        });
        expect(outside).toEqual([]);
      },
      10 * MINUTES,
    );
  });
}
