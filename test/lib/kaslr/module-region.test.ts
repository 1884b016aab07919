import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chooseRegions, moduleWindows } from '../../../lib/kaslr/module-region.js';
import { place } from '../../../lib/kaslr/place.js';
import { type ReferenceEra, referenceModuleBase } from '../../support/reference-placement.js';
import { codeOf } from '../../support/thrown.js';
import { referenceMachines, seeds, toMachine } from './machine.js';

const BRANCH = 2 ** 27;
const randoms = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 1n, 0x1fffffn, 2n ** 64n - 1n),
);

describe.each<ReferenceEra>(['4.6', '4.12', '4.17', '5.4', '6.0'])('era %s: one base', (era) => {
  it('is the one of the reference for every random value, 2 GiB from the same base after it', () => {
    fc.assert(
      fc.property(referenceMachines(era), seeds, randoms, (machine, seed, random) => {
        const { region } = place(toMachine(machine), { seed });
        const base = Number(referenceModuleBase(machine, seed, random));
        expect(chooseRegions(region, random).map((chosen) => [chosen.base, chosen.end])).toEqual([
          [base, base + 2 ** 27],
          [base, base + 2 ** 31],
        ]);
      }),
    );
  });

  it('is never drawn outside its window', () => {
    fc.assert(
      fc.property(referenceMachines(era), seeds, randoms, (machine, seed, random) => {
        const { region } = place(toMachine(machine), { seed });
        const [window] = moduleWindows(region);
        const { base } = chooseRegions(region, random)[0]!;
        expect(base >= window!.lowest && base <= window!.highest).toBe(true);
        expect(Number.isInteger(base / Number(machine.pageSize))).toBe(true);
      }),
    );
  });

  it('keeps modules within a branch of all text without RANDOMIZE_MODULE_REGION_FULL', () => {
    fc.assert(
      fc.property(referenceMachines(era), seeds, randoms, (machine, seed, random) => {
        fc.pre(!machine.kasan && seed !== 0n && machine.etext <= 2n ** 26n);
        const { region, text } = place(toMachine({ ...machine, fullRegion: false }), { seed });
        const { base, kind } = chooseRegions(region, random)[0]!;
        expect(kind).toBe('direct');
        expect(base <= text + Number(machine.stext)).toBe(true);
        expect(base + BRANCH >= text + Number(machine.etext) - Number(machine.pageSize)).toBe(true);
      }),
    );
  });

  it('cannot be drawn without _etext where it hangs on it', () => {
    fc.assert(
      fc.property(referenceMachines(era), (machine) => {
        const { region } = place({ ...toMachine(machine), etext: undefined }, { seed: 0n });
        expect(codeOf(() => chooseRegions(region, 0n))).toBe('MISSING_INPUT');
      }),
    );
  });
});

describe.each<ReferenceEra>(['6.5', '6.9', '6.16'])('era %s: boxes', (era) => {
  it('are drawn around the image, within their windows, the PLT box around the direct one', () => {
    fc.assert(
      fc.property(referenceMachines(era), seeds, randoms, (machine, seed, random) => {
        const { region, text, end } = place(toMachine(machine), { seed });
        const windows = moduleWindows(region);
        const chosen = chooseRegions(region, random);
        expect(chosen.map(({ kind }) => kind)).toEqual(windows.map(({ kind }) => kind));
        let inner = { base: text as number, end: end as number };
        chosen.forEach((box, i) => {
          const { lowest, highest, size } = windows[i]!;
          expect(box.end - box.base).toBe(size);
          expect(box.base >= lowest && box.base <= highest).toBe(true);
          expect(box.base <= inner.base && box.end >= inner.end).toBe(true);
          expect(seed === 0n || Number.isInteger((box.base - text) / Number(machine.pageSize))).toBe(true);
          inner = box;
        });
      }),
    );
  });

  it('reach every base of their windows: the first and last value draw the ends', () => {
    fc.assert(
      fc.property(referenceMachines(era), seeds, (machine, seed) => {
        const { region } = place(toMachine({ ...machine, fullRegion: true }), { seed });
        const [window] = moduleWindows(region);
        fc.pre(window !== undefined && seed !== 0n);
        const pages = BigInt((window!.highest - window!.lowest) / Number(machine.pageSize));
        expect(chooseRegions(region, 0n)[0]!.base).toBe(window!.highest);
        expect(chooseRegions(region, pages)[0]!.base).toBe(window!.lowest);
        expect(chooseRegions(region, pages + 1n)[0]!.base).toBe(window!.highest);
      }),
    );
  });

  it('are left out where the image does not fit into them', () => {
    fc.assert(
      fc.property(referenceMachines(era), seeds, (machine, seed) => {
        const windows = (imageSize: number) =>
          moduleWindows(place({ ...toMachine(machine), imageSize, fullRegion: false }, { seed }).region).map(
            ({ kind }) => kind,
          );
        fc.pre(machine.vaBits >= 39n);
        expect(windows(BRANCH - 1)).toEqual(['direct', 'plt']);
        expect(windows(BRANCH)).toEqual(['plt']);
        expect(windows(2 ** 31 - 1)).toEqual(['plt']);
        expect(windows(2 ** 31)).toEqual([]);
      }),
    );
  });
});
