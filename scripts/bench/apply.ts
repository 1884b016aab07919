/** The relocation table compiled into lines, against a switch written by hand for the types that modules hold. */
import { va } from '../../lib/address.js';
import { RelaTable } from '../../lib/elf/rela-table.js';
import { OK, RelocatableSection } from '../../lib/reloc/apply.js';
import { median, printFigure } from './measure.js';

const COUNT = 200_000;
const ROUNDS = 21;
/** About the mix of Debian's modules. */
const TYPES = [283, 283, 283, 257, 257, 275, 277, 261, 260, 286, 285, 282];
const ADDRESS = va(-0x7fff_f000_0000);
const SYMBOL = va(ADDRESS + 0x123450);

/** Records of the mix, eight bytes apart. */
function records(): RelaTable {
  const view = new DataView(new ArrayBuffer(COUNT * 24));
  for (let i = 0; i < COUNT; i++) {
    view.setUint32(i * 24, i * 8, true);
    view.setUint32(i * 24 + 8, TYPES[i % TYPES.length]!, true);
    view.setInt32(i * 24 + 16, (i % 64) * 8, true);
  }
  return new RelaTable(new Uint8Array(view.buffer));
}

function byTable(section: RelocatableSection, relas: RelaTable): number {
  let applied = 0;
  for (let i = 0; i < relas.count; i++) if (section.apply(relas, i, SYMBOL) === OK) applied++;
  return applied;
}

/** The same work for these types only: addends are small, so plain numbers do. */
function bySwitch({ view }: RelocatableSection, relas: RelaTable): number {
  let applied = 0;
  for (let i = 0; i < relas.count; i++) {
    const offset = relas.words[i * 6]!;
    const X = SYMBOL + relas.words[i * 6 + 4]!;
    const P = ADDRESS + offset;
    switch (relas.words[i * 6 + 2]) {
      case 257:
        view.setInt32(offset, X >>> 0, true);
        view.setInt32(offset + 4, Math.floor(X / 2 ** 32), true);
        break;
      case 260:
        view.setInt32(offset, (X - P) >>> 0, true);
        view.setInt32(offset + 4, Math.floor((X - P) / 2 ** 32), true);
        break;
      case 261:
        if (X - P < -(2 ** 31) || X - P >= 2 ** 31) continue;
        view.setInt32(offset, X - P, true);
        break;
      case 275: {
        const pages = Math.floor(X / 4096) - Math.floor(P / 4096);
        if (pages < -(2 ** 20) || pages >= 2 ** 20) continue;
        view.setInt32(
          offset,
          (view.getInt32(offset, true) & 0x9f00001f) | ((pages & 3) << 29) | (((pages >> 2) & 0x7ffff) << 5),
          true,
        );
        break;
      }
      case 277:
        view.setInt32(offset, (view.getInt32(offset, true) & 0xffc003ff) | ((X & 0xfff) << 10), true);
        break;
      case 285:
        view.setInt32(offset, (view.getInt32(offset, true) & 0xffc003ff) | (((X & 0xfff) >> 2) << 10), true);
        break;
      case 286:
        view.setInt32(offset, (view.getInt32(offset, true) & 0xffc003ff) | (((X & 0xfff) >> 3) << 10), true);
        break;
      case 282:
      case 283:
        if (X - P < -(2 ** 27) || X - P >= 2 ** 27) continue;
        view.setInt32(offset, (view.getInt32(offset, true) & 0xfc000000) | (((X - P) >> 2) & 0x3ffffff), true);
        break;
      default:
        continue;
    }
    applied++;
  }
  return applied;
}

export function benchApply(): void {
  const relas = records();
  const section = () => new RelocatableSection(new Uint8Array(COUNT * 8 + 8), ADDRESS);
  const [ours, theirs] = [section(), section()];
  const times: { table: number; switch: number }[] = [];
  const time = (work: () => number): number => {
    const start = process.hrtime.bigint();
    if (work() !== COUNT) throw new Error('a relocation of the mix does not fit');
    return Number(process.hrtime.bigint() - start) / COUNT;
  };
  for (let i = 0; i < ROUNDS; i++)
    times.push({ table: time(() => byTable(ours, relas)), switch: time(() => bySwitch(theirs, relas)) });
  if (Buffer.compare(ours.bytes, theirs.bytes) !== 0) throw new Error('table and switch differ');
  const table = median(times.map((t) => t.table));
  const byHand = median(times.map((t) => t.switch));
  printFigure({
    what: 'relocation types from the table',
    figure: `${table.toFixed(1)} ns`,
    yardstick: `switch by hand ${byHand.toFixed(1)} ns`,
    ratio: table / byHand,
    target: 1.3,
  });
}
