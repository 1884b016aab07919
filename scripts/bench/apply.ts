/** The relocation table compiled into lines, against a switch written by hand. */
import { va } from '../../lib/address.js';
import { RelaTable } from '../../lib/elf/rela-table.js';
import { RelocatableSection } from '../../lib/reloc/apply.js';
import { applyBySwitch } from './hand-switch.js';
import { interleaved, median, printFigure, processorTime } from './measure.js';

const COUNT = 200_000;
const ROUNDS = 31;
/** In a hundred relocations of the loaded sections of Debian 6.1's modules, 2,887,865 of them, so many are of each type. */
const MIX: readonly (readonly [type: number, share: number])[] = [
  [283, 32],
  [257, 22],
  [275, 15],
  [277, 14],
  [261, 14],
  [260, 1],
  [286, 1],
  [285, 1],
];
const ADDRESS = va(-0x7fff_f000_0000);
const SYMBOL = va(ADDRESS + 0x123450);

/** Records of the mix, eight bytes apart, in an order that no branch predictor learns. */
function records(): RelaTable {
  const types = MIX.flatMap(([type, share]) => Array<number>(share).fill(type));
  const view = new DataView(new ArrayBuffer(COUNT * 24));
  for (let i = 0; i < COUNT; i++) {
    view.setUint32(i * 24, i * 8, true);
    view.setUint32(i * 24 + 8, types[(Math.imul(i, 0x9e3779b1) >>> 8) % types.length]!, true);
    view.setInt32(i * 24 + 16, (i % 64) * 8, true);
  }
  return new RelaTable(new Uint8Array(view.buffer));
}

export function benchApply(): void {
  const relas = records();
  const [byTable, bySwitch] = [0, 1].map(() => new RelocatableSection(new Uint8Array(COUNT * 8 + 8), ADDRESS));
  const resolution = {
    symbols: [SYMBOL],
    detour: () => Number.NaN,
    refuse: () => {
      throw new Error('a relocation of the mix does not fit');
    },
  };
  const { ours, theirs, ratio } = interleaved(ROUNDS, {
    ours: () => processorTime(() => byTable!.apply({ relas }, resolution)) / COUNT,
    theirs: () => processorTime(() => applyBySwitch(bySwitch!, relas, resolution)) / COUNT,
    value: (nanoseconds) => nanoseconds,
  });
  if (Buffer.compare(byTable!.bytes, bySwitch!.bytes) !== 0) throw new Error('table and switch differ');
  printFigure({
    what: 'relocation types from the table',
    figure: `${median(ours).toFixed(1)} ns`,
    yardstick: `switch by hand ${median(theirs).toFixed(1)} ns`,
    ratio,
    target: 1.3,
  });
}
