/**
 * The init program is run: by an interpreter of the dozen instructions it is made of, written from the Arm ARM's
 * encodings, which stops at each SVC as a kernel would.
 */
import { describe, expect, it } from '@jest/globals';
import { openElf } from '../../../lib/elf/file.js';
import { initProgram } from '../../../scripts/conformance/init-program.js';

const ET_EXEC = 2;

interface SystemCall {
  readonly number: number;
  readonly arguments: readonly bigint[];
}

/** The program's memory is its file, as its one segment says. */
class Interpreter {
  readonly #registers = new Array<bigint>(32).fill(0n);
  readonly #memory: Buffer;
  readonly #base: bigint;
  #pc: bigint;

  constructor(file: Uint8Array) {
    const [segment] = openElf(file, [ET_EXEC]).segments;
    expect(segment).toMatchObject({ p_type: 1, p_flags: 5, p_filesz: file.length, p_memsz: file.length });
    this.#memory = Buffer.from(segment!.data);
    this.#base = BigInt(segment!.p_vaddr);
    this.#pc = Buffer.from(file).readBigUInt64LE(24);
  }

  #at(address: bigint): number {
    return Number(address - this.#base);
  }

  text(address: bigint): string {
    const start = this.#at(address);
    return this.#memory.toString('latin1', start, this.#memory.indexOf(0, start));
  }

  /** Runs to the next system call and answers it. */
  next(result: bigint): SystemCall {
    for (let steps = 0; steps < 10_000; steps++) {
      const word = this.#memory.readUInt32LE(this.#at(this.#pc));
      const bits = (msb: number, lsb: number): bigint =>
        (BigInt(word) >> BigInt(lsb)) & ((1n << BigInt(msb - lsb + 1)) - 1n);
      const [rd, rn, rm] = [Number(bits(4, 0)), Number(bits(9, 5)), Number(bits(20, 16))];
      const read = (r: number): bigint => (r === 31 ? 0n : this.#registers[r]!);
      const write = (value: bigint): void => {
        this.#registers[rd] = BigInt.asUintN(64, value);
      };
      const branch = (offset: bigint): bigint => this.#pc + 4n * offset;
      const wide = bits(20, 5) << (16n * bits(22, 21));
      let next = this.#pc + 4n;
      if (word === 0xd4000001) {
        const call = { number: Number(this.#registers[8]), arguments: this.#registers.slice(0, 3) };
        this.#registers[0] = result;
        this.#pc = next;
        return call;
      }
      if (bits(31, 31) === 0n && bits(28, 24) === 0x10n)
        write(this.#pc + BigInt.asIntN(21, (bits(23, 5) << 2n) | bits(30, 29)));
      else if (bits(31, 10) === 0xe5000n) write(BigInt(this.#memory.readUInt8(this.#at(read(rn)))));
      else if (bits(31, 21) === 0x1c2n && bits(11, 10) === 1n) {
        write(BigInt(this.#memory.readUInt8(this.#at(read(rn)))));
        this.#registers[rn]! += BigInt.asIntN(9, bits(20, 12));
      } else if (bits(31, 24) === 0x34n) next = read(rd) === 0n ? branch(BigInt.asIntN(19, bits(23, 5))) : next;
      else if (bits(31, 24) === 0x35n) next = read(rd) !== 0n ? branch(BigInt.asIntN(19, bits(23, 5))) : next;
      else if (bits(31, 26) === 5n) next = branch(BigInt.asIntN(26, bits(25, 0)));
      else if (bits(30, 23) === 0xa5n) write(wide);
      else if (bits(30, 23) === 0x25n) write(~wide);
      else if (bits(30, 23) === 0xe5n) write((read(rd) & ~(0xffffn << (16n * bits(22, 21)))) | wide);
      else if (bits(31, 21) === 0x550n && bits(15, 5) === 0x1fn) write(read(rm));
      else throw new Error(`instruction ${word.toString(16)} at ${this.#pc.toString(16)}`);
      this.#pc = next;
    }
    throw new Error('no system call');
  }
}

describe('initProgram', () => {
  it.each([[[]], [['/a.ko']], [['/a.ko', '/nls_utf8.ko', '/xfs.ko']]])('loads %j and reboots', (paths: string[]) => {
    const program = new Interpreter(initProgram(paths));
    paths.forEach((path, i) => {
      const descriptor = BigInt(i + 3);
      const open = program.next(descriptor);
      expect([open.number, BigInt.asIntN(64, open.arguments[0]!), open.arguments[2]]).toEqual([56, -100n, 0n]);
      expect(program.text(open.arguments[1]!)).toBe(path);
      const load = program.next(0n);
      expect([load.number, load.arguments[0], load.arguments[2]]).toEqual([273, descriptor, 0n]);
      expect(program.text(load.arguments[1]!)).toBe('');
      const close = program.next(0n);
      expect([close.number, close.arguments[0]]).toEqual([57, descriptor]);
    });
    expect(program.next(0n)).toEqual({ number: 142, arguments: [0xfee1deadn, 0x28121969n, 0x4321fedcn] });
  });

  it('goes on after a module that is refused, and calls reboot until it works', () => {
    const program = new Interpreter(initProgram(['/a.ko', '/b.ko']));
    const errno = -2n;
    expect([1, 2, 3, 4, 5, 6, 7, 8].map(() => program.next(errno).number)).toEqual([
      56, 273, 57, 56, 273, 57, 142, 142,
    ]);
  });
});
