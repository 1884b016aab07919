/**
 * Packets of the GDB remote serial protocol: `$data#checksum`, acknowledged with `+` or `-` (GDB manual, appendix E.1).
 *
 * A decoder apart from any socket: a packet may come in pieces, escaped and run-length encoded, and tests feed it that way.
 */

const ESCAPE = 0x7d;
const RUN_LENGTH = 0x2a;
const DOLLAR = 0x24;
const PERCENT = 0x25;
const HASH = 0x23;
const PLUS = 0x2b;
const MINUS = 0x2d;

function checksum(data: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]!;
  return sum & 0xff;
}

/** One packet on the wire. `data` is ASCII; `$`, `#`, `}` and `*` in it are escaped. */
export function encodePacket(data: string): Uint8Array {
  const escaped = data.replace(/[$#}*]/g, (c) => `}${String.fromCharCode(c.charCodeAt(0) ^ 0x20)}`);
  const sum = checksum(Buffer.from(escaped, 'latin1'));
  return Buffer.from(`$${escaped}#${sum.toString(16).padStart(2, '0')}`, 'latin1');
}

export type PacketEvent =
  | { readonly kind: 'packet' | 'notification'; readonly data: string }
  | { readonly kind: 'ack' | 'nack' | 'corrupt' };

/** Turns a stream of bytes into packets and acknowledgements; bytes between packets are skipped, as the protocol asks. */
export class PacketDecoder {
  #pending = new Uint8Array(0);

  push(chunk: Uint8Array): PacketEvent[] {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    const events: PacketEvent[] = [];
    for (;;) {
      const start = this.#pending.findIndex((b) => b === DOLLAR || b === PERCENT || b === PLUS || b === MINUS);
      if (start < 0) {
        this.#pending = new Uint8Array(0);
        return events;
      }
      const first = this.#pending[start];
      if (first === PLUS || first === MINUS) {
        events.push({ kind: first === PLUS ? 'ack' : 'nack' });
        this.#pending = this.#pending.subarray(start + 1);
        continue;
      }
      const hash = this.#pending.indexOf(HASH, start);
      if (hash < 0 || hash + 3 > this.#pending.length) {
        this.#pending = this.#pending.subarray(start);
        return events;
      }
      const body = this.#pending.subarray(start + 1, hash);
      const sum = Number.parseInt(Buffer.from(this.#pending.subarray(hash + 1, hash + 3)).toString('latin1'), 16);
      this.#pending = this.#pending.subarray(hash + 3);
      if (sum !== checksum(body)) events.push({ kind: 'corrupt' });
      else events.push({ kind: first === DOLLAR ? 'packet' : 'notification', data: expand(body) });
    }
  }
}

/** Undoes escapes and run lengths: `0*"` is `0` four times, the count being the character's code less 29. */
function expand(body: Uint8Array): string {
  if (!body.includes(ESCAPE) && !body.includes(RUN_LENGTH)) return Buffer.from(body).toString('latin1');
  const out: number[] = [];
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]!;
    if (byte === ESCAPE) out.push((body[++i] ?? 0) ^ 0x20);
    else if (byte === RUN_LENGTH) for (let n = (body[++i] ?? 29) - 29; n > 0; n--) out.push(out.at(-1) ?? 0);
    else out.push(byte);
  }
  return Buffer.from(out).toString('latin1');
}
