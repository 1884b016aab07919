/**
 * A client of QEMU's GDB stub: as much of the remote serial protocol as it takes to stop a booting kernel and look at it.
 *
 * One command at a time, each with a deadline: a kernel that never comes to a breakpoint is a finding, not a hang.
 */
import type { Duplex } from 'node:stream';
import { hex16 } from '../../lib/address.js';
import { encodePacket, PacketDecoder } from './gdb-packet.js';
import { readTargetDescription } from './target-description.js';

/** What the stub refused, or no answer at all. */
export class GdbError extends Error {}

/** The deadline of a `continue` has passed; the machine is still running. */
export class GdbTimeout extends GdbError {}

/** The other side has gone: QEMU ended. */
export class GdbClosed extends GdbError {}

const COMMAND_TIMEOUT = 30_000;
const INTERRUPT = 0x03;
/** Where the stub says nothing of its packets' size. */
const DEFAULT_PACKET_SIZE = 1024;

const RETRIES = 3;

export class GdbClient {
  readonly #stream: Duplex;
  readonly #decoder = new PacketDecoder();
  #registers: ReadonlyMap<string, number> = new Map();
  #packetSize = DEFAULT_PACKET_SIZE;
  #waiting: { resolve: (data: string) => void; reject: (error: Error) => void } | undefined;
  #last: Uint8Array = new Uint8Array(0);
  #retries = 0;
  #closed: GdbClosed | undefined;

  private constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('data', (chunk: Uint8Array) => this.#receive(chunk));
    stream.on('error', (cause) => this.#close(cause));
    for (const event of ['end', 'close']) stream.on(event, () => this.#close(undefined));
  }

  /** Greets the stub and learns its registers. @throws GdbError if it speaks no such protocol */
  static async connect(stream: Duplex): Promise<GdbClient> {
    const client = new GdbClient(stream);
    const features = await client.request('qSupported:qXfer:features:read+');
    const size = /PacketSize=([0-9a-f]+)/i.exec(features)?.[1];
    if (size !== undefined) client.#packetSize = Number.parseInt(size, 16);
    client.#registers = await readTargetDescription((file) => client.#readFeature(file));
    return client;
  }

  /** `length` bytes at `address`: virtual as the stopped CPU sees it, or physical after `physicalMemory(true)`. */
  async readMemory(address: number, length: number): Promise<Uint8Array> {
    // Two hexadecimal digits a byte, and QEMU wants some room of its own.
    const most = Math.floor((this.#packetSize - 16) / 2);
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += most) {
      const count = Math.min(most, length - at);
      const data = await this.#ok(`m${hex16(address + at)},${count.toString(16)}`);
      const part = Buffer.from(data, 'hex');
      if (part.length !== count)
        throw new GdbError(`${count} bytes asked for at ${hex16(address + at)}, ${part.length} came`);
      bytes.set(part, at);
    }
    return bytes;
  }

  async writeMemory(address: number, bytes: Uint8Array): Promise<void> {
    await this.#ok(`M${hex16(address)},${bytes.length.toString(16)}:${Buffer.from(bytes).toString('hex')}`);
  }

  /** A register of up to 64 bits by the name the target description gives it: `x0`, `pc`, `TTBR1_EL1`. */
  async readRegister(name: string): Promise<bigint> {
    const data = await this.#ok(`p${this.#numberOf(name)}`);
    if (!/^([0-9a-f]{2}){1,8}$/i.test(data)) throw new GdbError(`register ${name} reads as '${data}'`);
    return BigInt(`0x${Buffer.from(data, 'hex').reverse().toString('hex')}`);
  }

  async writeRegister(name: string, value: bigint): Promise<void> {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    await this.#ok(`P${this.#numberOf(name)}=${bytes.toString('hex')}`);
  }

  #numberOf(name: string): string {
    const number = this.#registers.get(name);
    if (number === undefined) throw new GdbError(`QEMU's GDB stub has no register ${name}`);
    return number.toString(16);
  }

  async insertBreakpoint(address: number): Promise<void> {
    await this.#ok(`Z1,${hex16(address)},4`);
  }

  async removeBreakpoint(address: number): Promise<void> {
    await this.#ok(`z1,${hex16(address)},4`);
  }

  /** Whether `readMemory` takes physical addresses from now on. */
  async physicalMemory(on: boolean): Promise<void> {
    await this.#ok(`Qqemu.PhyMemMode:${on ? 1 : 0}`);
  }

  /** Runs one instruction; a breakpoint at it is passed over. */
  async step(): Promise<void> {
    await this.request('s');
  }

  /**
   * Runs until a breakpoint is hit.
   * @throws GdbTimeout after `timeout` milliseconds; `interrupt` then stops the machine
   * @throws GdbClosed if QEMU ends
   */
  async continue(timeout: number): Promise<void> {
    const reply = await this.request('c', timeout);
    if (/^[WX]/.test(reply)) throw new GdbClosed('the machine was switched off');
  }

  /** Stops a machine that `continue` gave up on. */
  async interrupt(): Promise<void> {
    const stopped = this.#reply(COMMAND_TIMEOUT);
    this.#stream.write(new Uint8Array([INTERRUPT]));
    await stopped;
  }

  async #readFeature(file: string): Promise<string> {
    let text = '';
    const count = (this.#packetSize - 16) >> 1;
    for (;;) {
      const data = await this.#ok(`qXfer:features:read:${file}:${text.length.toString(16)},${count.toString(16)}`);
      text += data.slice(1);
      if (data[0] === 'l') return text;
      if (data[0] !== 'm' || data.length === 1) throw new GdbError(`no target description ${file}`);
    }
  }

  async #ok(command: string): Promise<string> {
    const reply = await this.request(command);
    if (reply === '') throw new GdbError(`the GDB stub does not know ${command.slice(0, 40)}`);
    if (/^E[0-9a-f]{2}$/i.test(reply)) throw new GdbError(`the GDB stub answered ${reply} to ${command.slice(0, 40)}`);
    return reply;
  }

  /** Sends a command and waits for its answer. */
  async request(command: string, timeout = COMMAND_TIMEOUT): Promise<string> {
    if (this.#closed) throw this.#closed;
    if (this.#waiting) throw new GdbError(`${command}: another command has no answer yet`);
    this.#last = encodePacket(command);
    this.#retries = 0;
    const reply = this.#reply(timeout);
    this.#stream.write(this.#last);
    return reply;
  }

  #reply(timeout: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting = undefined;
        reject(new GdbTimeout(`no answer within ${timeout / 1000} s`));
      }, timeout);
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          this.#waiting = undefined;
          then(value);
        };
      this.#waiting = { resolve: settle(resolve), reject: settle(reject) };
    });
  }

  #receive(chunk: Uint8Array): void {
    for (const event of this.#decoder.push(chunk)) {
      if (event.kind === 'packet') {
        this.#stream.write('+');
        this.#waiting?.resolve(event.data);
      } else if (event.kind === 'corrupt') {
        this.#stream.write('-');
      } else if (event.kind === 'nack' && this.#waiting) {
        if (++this.#retries > RETRIES) this.#waiting?.reject(new GdbError('the GDB stub cannot read our packets'));
        else this.#stream.write(this.#last);
      }
    }
  }

  #close(cause: Error | undefined): void {
    this.#closed ??= new GdbClosed('QEMU closed the connection', { cause });
    this.#waiting?.reject(this.#closed);
  }
}
