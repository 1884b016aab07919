/** erratum.ko with and without the workaround of Cortex-A53 erratum 843419, run instruction by instruction. */
import { describe, expect, it } from '@jest/globals';
import { run } from '../../support/a64-interpreter.js';
import { referenceLoad, symbolAddress } from '../../support/reference-load.js';
import { type LoadedSample, SampleSession } from '../../support/sample-session.js';

const ADRP_TYPES = [275, 276];
const X0 = 0;
/** Offsets in .text of the ADRPs in the last two words of a page, and whether their page is out of ADR's reach. */
const FORBIDDEN = new Map([
  [0xff8, 'far'],
  [0xffc, 'near'],
  [0x1ff8, 'near'],
  [0x2ff8, 'far'],
  [0x2ffc, 'far'],
]);

async function load(style: string, distance: 'near' | 'far', erratum843419: boolean): Promise<LoadedSample> {
  return (await SampleSession.open(style, { distance, erratum843419 })).load('erratum');
}

function textOf({ object, loaded }: LoadedSample) {
  const text = loaded.sections.find(({ name }) => name === '.text')!;
  const adrps = object.relocations.filter(({ target, type }) => target === text.index && ADRP_TYPES.includes(type));
  return { text, adrps, view: new DataView(text.bytes.buffer, text.bytes.byteOffset, text.bytes.length) };
}

/** What every ADRP of .text leaves in x0 once execution comes to the instruction behind it, and what it should. */
function pagesLoaded(
  sample: LoadedSample,
): { offset: number; found: bigint; page: bigint; next: bigint; pc: bigint }[] {
  const { object, addresses, loaded } = sample;
  const { text, adrps } = textOf(sample);
  const memories = loaded.sections.map(({ address, bytes }) => ({ address: BigInt(address), bytes }));
  return adrps.map(({ offset, symbol, addend }) => {
    const place = BigInt(text.address) + BigInt(offset);
    const { pc, registers } = run(memories, place, place + 4n);
    const target = BigInt.asIntN(64, symbolAddress(object, symbol, addresses) + addend);
    return { offset, found: registers.get(X0)!, page: target & ~0xfffn, next: place + 4n, pc };
  });
}

describe.each(['6.1', '6.12'])('erratum.ko of %s', (style) => {
  it.each(['near', 'far'] as const)(
    'loads every page, and no ADRP stands where it must not, %s of the kernel',
    async (distance) => {
      const sample = await load(style, distance, true);
      const { text, adrps, view } = textOf(sample);
      expect(adrps.length).toBeGreaterThan(FORBIDDEN.size);
      for (const { found, page, pc, next } of pagesLoaded(sample)) expect([found, pc]).toEqual([page, next]);
      expect(text.address & 4095).toBe(0);
      for (const [offset, reach] of FORBIDDEN) {
        const word = view.getUint32(offset, true);
        // ADR is 0xx10000, B is 000101.
        expect(reach === 'near' ? word & 0x9f000000 : word >>> 26).toBe(reach === 'near' ? 0x10000000 : 0b000101);
      }
      expect(sample.loaded.veneers).toBe(3);
    },
  );

  it('counts a veneer for each of the five and the branches, and one spare, where the CPU has the erratum', async () => {
    const [nearby, distant] = await Promise.all(
      (['near', 'far'] as const).map((distance) => load(style, distance, true)),
    );
    expect(nearby!.loaded.plt).toEqual({ core: { used: 3, reserved: 7 }, init: { used: 0, reserved: 2 } });
    // mix64 is out of reach as well.
    expect(distant!.loaded.plt).toEqual({ core: { used: 4, reserved: 7 }, init: { used: 0, reserved: 2 } });
  });

  it('is as every other module where the CPU has not', async () => {
    const sample = await load(style, 'near', false);
    const { text, view } = textOf(sample);
    expect(sample.loaded.plt).toEqual({ core: { used: 0, reserved: 1 }, init: { used: 0, reserved: 1 } });
    expect(sample.loaded.veneers).toBe(0);
    for (const { found, page, pc, next } of pagesLoaded(sample)) expect([found, pc]).toEqual([page, next]);
    for (const offset of FORBIDDEN.keys()) expect((view.getUint32(offset, true) & 0x9f000000) >>> 0).toBe(0x90000000);
    const { sections } = referenceLoad(sample.object, sample.addresses);
    expect(Buffer.compare(text.bytes, sections.get(text.index)!)).toBe(0);
  });
});
