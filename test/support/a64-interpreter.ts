/**
 * Runs the few instructions that a relocated branch or a veneer leads through, to see where it ends up.
 * Written from the Arm ARM's pseudocode in bigint, without lib/a64.
 */

export interface Memory {
  /** Address of the first byte, and the bytes. */
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

export interface Machine {
  readonly pc: bigint;
  readonly registers: ReadonlyMap<number, bigint>;
}

const field = (word: bigint, msb: number, lsb: number): bigint => BigInt.asUintN(msb - lsb + 1, word >> BigInt(lsb));

function fetch(memories: readonly Memory[], pc: bigint): bigint | undefined {
  const memory = memories.find(({ address, bytes }) => pc >= address && pc < address + BigInt(bytes.length));
  if (!memory) return undefined;
  const view = new DataView(memory.bytes.buffer, memory.bytes.byteOffset, memory.bytes.length);
  return BigInt(view.getUint32(Number(pc - memory.address), true));
}

/**
 * Executes from `pc` until it leaves the memory, reaches `stop`, or meets an instruction that is none of B, BL, BR, ADR, ADRP,
 * ADD (immediate), MOVN and MOVK of 64 bits.
 */
export function run(memories: readonly Memory[], pc: bigint, stop?: bigint): Machine {
  const registers = new Map<number, bigint>();
  let at = pc;
  for (let steps = 0; steps < 16; steps++) {
    const word = at === stop && steps > 0 ? undefined : fetch(memories, at);
    if (word === undefined) break;
    const rd = Number(field(word, 4, 0));
    const rn = Number(field(word, 9, 5));
    const write = (value: bigint): void => void registers.set(rd, BigInt.asIntN(64, value));
    const immediate = BigInt.asIntN(21, (field(word, 23, 5) << 2n) | field(word, 30, 29));
    const shift = 16n * field(word, 22, 21);
    let next = at + 4n;
    if (field(word, 30, 26) === 0b00101n) next = at + 4n * BigInt.asIntN(26, word);
    else if (field(word, 31, 10) === 0b1101011000011111000000n) next = registers.get(rn)!;
    else if (field(word, 31, 31) === 0n && field(word, 28, 24) === 0b10000n) write(at + immediate);
    else if (field(word, 31, 31) === 1n && field(word, 28, 24) === 0b10000n) write((at & ~0xfffn) + (immediate << 12n));
    else if (field(word, 31, 22) === 0b1001000100n) write(registers.get(rn)! + field(word, 21, 10));
    else if (field(word, 31, 23) === 0b100100101n) write(~(field(word, 20, 5) << shift));
    else if (field(word, 31, 23) === 0b111100101n) {
      write((registers.get(rd)! & ~(0xffffn << shift)) | (field(word, 20, 5) << shift));
    } else break;
    at = BigInt.asIntN(64, next);
  }
  return { pc: at, registers };
}
