/**
 * The other end of the GDB remote serial protocol for tests: registers, memory, and a program that is a list of stops.
 *
 * Written from the GDB manual's appendix E alone; packets are framed here anew, so that a fault in the client's framing
 * cannot hide. It answers as QEMU does, in small packets, and can be told to misbehave.
 */
import { type Duplex, duplexPair } from 'node:stream';

export interface FakeRegion {
  readonly address: number;
  readonly bytes: Uint8Array;
}

export interface FakeStubOptions {
  readonly registers?: Readonly<Record<string, bigint>>;
  readonly memory?: readonly FakeRegion[];
  /** What Qqemu.PhyMemMode:1 shows. */
  readonly physical?: readonly FakeRegion[];
  /** What `c` does before it answers; nothing left: no answer, as from a machine that runs on. */
  readonly stops?: ((stub: FakeStub) => string | undefined)[];
  readonly onStep?: (stub: FakeStub) => void;
  /** Changes what goes over the wire, by the number of the packet. */
  readonly wire?: (packet: string, count: number) => string;
  /** Whether a command, by its number, is answered with `-`, as one that came damaged. */
  readonly rejects?: (count: number) => boolean;
  readonly packetSize?: number;
}

const CORE = `<feature name="org.gnu.gdb.aarch64.core">${Array.from({ length: 31 }, (_, i) => `<reg name="x${i}" bitsize="64"/>`).join('')}<reg name="sp" bitsize="64"/><reg name="pc" bitsize="64"/></feature>`;
const SYSTEM_FIRST = 100;

const sum = (text: string): string =>
  (Buffer.from(text, 'latin1').reduce((total, byte) => total + byte, 0) % 256).toString(16).padStart(2, '0');

export class FakeStub {
  /** The client's end. */
  readonly stream: Duplex;
  readonly registers: Map<string, bigint>;
  readonly breakpoints = new Set<bigint>();
  readonly commands: string[] = [];
  readonly #own: Duplex;
  readonly #options: FakeStubOptions;
  readonly #names: string[];
  readonly #stops: ((stub: FakeStub) => string | undefined)[];
  #physical = false;
  #input = '';
  #sent = 0;
  #received = 0;
  #lastPacket = '';

  constructor(options: FakeStubOptions = {}) {
    [this.stream, this.#own] = duplexPair();
    this.#options = options;
    this.registers = new Map(Object.entries(options.registers ?? {}));
    const core = [...Array.from({ length: 31 }, (_, i) => `x${i}`), 'sp', 'pc'];
    this.#names = [...core, ...[...this.registers.keys()].filter((name) => !core.includes(name))];
    this.#stops = [...(options.stops ?? [])];
    this.#own.on('data', (chunk: Buffer) => this.#receive(chunk.toString('latin1')));
  }

  close(): void {
    this.#own.end();
  }

  #receive(text: string): void {
    this.#input += text;
    for (;;) {
      this.#input = this.#input.replace(/^\++/, '');
      if (this.#input.startsWith('-')) {
        this.#input = this.#input.slice(1);
        this.#own.write(this.#lastPacket);
      } else if (this.#input.startsWith('\x03')) {
        this.#input = this.#input.slice(1);
        this.#send('T02thread:01;');
      } else {
        const packet = /^\$([^#]*)#([0-9a-f]{2})/.exec(this.#input);
        if (!packet) return;
        this.#input = this.#input.slice(packet[0].length);
        if (sum(packet[1]!) !== packet[2] || this.#options.rejects?.(this.#received++)) {
          this.#own.write('-');
          continue;
        }
        this.#own.write('+');
        this.commands.push(packet[1]!);
        const answer = this.#answer(packet[1]!);
        if (answer !== undefined) this.#send(answer);
      }
    }
  }

  #send(data: string): void {
    this.#lastPacket = `$${data}#${sum(data)}`;
    this.#own.write(this.#options.wire?.(this.#lastPacket, this.#sent++) ?? this.#lastPacket);
  }

  #answer(command: string): string | undefined {
    const [, verb = '', rest = ''] =
      /^(qSupported|qXfer:features:read|Qqemu\.PhyMemMode|[Zz]1|[a-zA-Z])[:,]?(.*)$/.exec(command) ?? [];
    const [first = '', second = ''] = rest.split(/[,=]/);
    switch (verb) {
      case 'qSupported':
        return `PacketSize=${(this.#options.packetSize ?? 0x100).toString(16)};qXfer:features:read+`;
      case 'qXfer:features:read':
        return this.#feature(rest);
      case 'Qqemu.PhyMemMode':
        this.#physical = rest === '1';
        return 'OK';
      case 'Z1':
        this.breakpoints.add(BigInt(`0x${first}`));
        return 'OK';
      case 'z1':
        this.breakpoints.delete(BigInt(`0x${first}`));
        return 'OK';
      case 'p':
        return this.#hex(this.registers.get(this.#names[this.#index(first)] ?? '') ?? 0n);
      case 'P':
        this.registers.set(this.#names[this.#index(first)]!, Buffer.from(second, 'hex').readBigUInt64LE());
        return 'OK';
      case 'm':
        return this.#read(BigInt(`0x${first}`), Number.parseInt(second, 16));
      case 'M':
        return this.#write(BigInt(`0x${first}`), Buffer.from(rest.split(':')[1]!, 'hex'));
      case 's':
        this.#options.onStep?.(this);
        return 'T05thread:01;';
      case 'c':
        return this.#stops.shift()?.(this);
      default:
        return '';
    }
  }

  #index(hex: string): number {
    const number = Number.parseInt(hex, 16);
    return number < SYSTEM_FIRST ? number : number - SYSTEM_FIRST + 33;
  }

  #hex(value: bigint): string {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
    return bytes.toString('hex');
  }

  #feature(request: string): string {
    const [file, range = ''] = request.split(':');
    const system = this.#names
      .slice(33)
      .map((name, i) => `<reg bitsize="64" name="${name}" regnum="${SYSTEM_FIRST + i}"/>`);
    const texts: Record<string, string> = {
      'target.xml': '<target><xi:include href="core.xml"/><xi:include href="system.xml"/></target>',
      'core.xml': CORE,
      'system.xml': `<feature>${system.join('')}</feature>`,
    };
    const text = texts[file!];
    if (text === undefined) return 'E00';
    const [offset = 0, length = 0] = range.split(',').map((x) => Number.parseInt(x, 16));
    return (offset + length >= text.length ? 'l' : 'm') + text.slice(offset, offset + length);
  }

  #find(address: bigint): { bytes: Uint8Array; at: number } | undefined {
    for (const { address: start, bytes } of (this.#physical ? this.#options.physical : this.#options.memory) ?? []) {
      const at = Number(BigInt.asIntN(64, address) - BigInt(start));
      if (at >= 0 && at < bytes.length) return { bytes, at };
    }
    return undefined;
  }

  #read(address: bigint, length: number): string {
    const found = this.#find(address);
    if (!found || found.at + length > found.bytes.length || 2 * length > (this.#options.packetSize ?? 0x100))
      return 'E14';
    return Buffer.from(found.bytes.subarray(found.at, found.at + length)).toString('hex');
  }

  #write(address: bigint, bytes: Uint8Array): string {
    const found = this.#find(address);
    if (!found) return 'E14';
    found.bytes.set(bytes, found.at);
    return 'OK';
  }
}
