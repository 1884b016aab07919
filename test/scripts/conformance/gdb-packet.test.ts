import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodePacket, PacketDecoder, type PacketEvent } from '../../../scripts/conformance/gdb-packet.js';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const decode = (...chunks: string[]): PacketEvent[] => {
  const decoder = new PacketDecoder();
  return chunks.flatMap((chunk) => decoder.push(Buffer.from(chunk, 'latin1')));
};

describe('encodePacket', () => {
  // Checksums by hand: "OK" is 0x4f + 0x4b = 0x9a; "" is 0.
  it.each([
    ['OK', '$OK#9a'],
    ['', '$#00'],
    ['a}b', '$a}]b#9d'],
    ['#', '$}\x03#80'],
  ])('frames %j', (data, wire) => {
    expect(text(encodePacket(data))).toBe(wire);
  });
});

describe('PacketDecoder', () => {
  it('gives acknowledgements and packets in order, skipping what lies between', () => {
    expect(decode('+\r\n$OK#9a-$#00')).toEqual([
      { kind: 'ack' },
      { kind: 'packet', data: 'OK' },
      { kind: 'nack' },
      { kind: 'packet', data: '' },
    ]);
  });

  it('expands runs: the example of the manual', () => {
    // "0* " is "0000": the space, 32, less 29 makes three more.
    expect(decode('$0* #7a')).toEqual([{ kind: 'packet', data: '0000' }]);
  });

  it('expands a run of an escaped character', () => {
    const body = '}\x03*!';
    const sum = Buffer.from(body, 'latin1').reduce((a, b) => a + b, 0) & 0xff;
    expect(decode(`$${body}#${sum.toString(16)}`)).toEqual([{ kind: 'packet', data: '#####' }]);
  });

  it('tells a packet whose checksum is off', () => {
    expect(decode('$OK#9b')).toEqual([{ kind: 'corrupt' }]);
  });

  it('tells notifications from answers', () => {
    expect(decode('%Stop:T05#99')).toEqual([{ kind: 'notification', data: 'Stop:T05' }]);
  });

  it('takes back whatever encodePacket made, cut anywhere', () => {
    const latin1 = fc.array(fc.integer({ min: 0, max: 255 })).map((bytes) => text(Uint8Array.from(bytes)));
    fc.assert(
      fc.property(latin1, fc.nat(), (data, cut) => {
        const wire = text(encodePacket(data));
        const at = cut % (wire.length + 1);
        expect(decode(wire.slice(0, at), wire.slice(at))).toEqual([{ kind: 'packet', data }]);
      }),
    );
  });
});
