import { describe, expect, it } from '@jest/globals';
import { GdbClient, GdbClosed, GdbTimeout } from '../../../scripts/conformance/gdb-client.js';
import { FakeStub, type FakeStubOptions } from './fake-stub.js';

async function open(options: FakeStubOptions): Promise<{ stub: FakeStub; gdb: GdbClient }> {
  const stub = new FakeStub(options);
  return { stub, gdb: await GdbClient.connect(stub.stream) };
}

const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
const TEXT = -(2 ** 47);

describe('memory', () => {
  it.each([1, 119, 120, 121, 5000])('reads %d bytes whole, in packets the stub can hold', async (length) => {
    const bytes = pattern(6000);
    const { gdb } = await open({ memory: [{ address: TEXT, bytes }] });
    expect(Buffer.from(await gdb.readMemory(TEXT + 8, length)).equals(bytes.subarray(8, 8 + length))).toBe(true);
  });

  it('writes', async () => {
    const bytes = new Uint8Array(16);
    const { gdb } = await open({ memory: [{ address: TEXT, bytes }] });
    await gdb.writeMemory(TEXT + 4, Uint8Array.of(1, 2, 3));
    expect([...bytes.subarray(3, 8)]).toEqual([0, 1, 2, 3, 0]);
  });

  it('switches to physical addresses and back', async () => {
    const { gdb } = await open({
      memory: [{ address: 0x1000, bytes: Uint8Array.of(1) }],
      physical: [{ address: 0x1000, bytes: Uint8Array.of(2) }],
    });
    await gdb.physicalMemory(true);
    expect([...(await gdb.readMemory(0x1000, 1))]).toEqual([2]);
    await gdb.physicalMemory(false);
    expect([...(await gdb.readMemory(0x1000, 1))]).toEqual([1]);
  });

  it('reports what the stub refuses', async () => {
    const { gdb } = await open({});
    await expect(gdb.readMemory(TEXT, 8)).rejects.toThrow('answered E14 to mffff800000000000,8');
  });
});

describe('registers', () => {
  const registers = { pc: 0x4000_0000n, TTBR1_EL1: 0xfedc_ba98_7654_3210n };

  it('finds core registers by position and system registers by regnum', async () => {
    const { gdb } = await open({ registers });
    expect(await gdb.readRegister('pc')).toBe(registers.pc);
    expect(await gdb.readRegister('TTBR1_EL1')).toBe(registers.TTBR1_EL1);
  });

  it('writes all 64 bits', async () => {
    const { gdb, stub } = await open({ registers });
    await gdb.writeRegister('x30', 0xffff_8000_0123_4567n);
    expect(stub.registers.get('x30')).toBe(0xffff_8000_0123_4567n);
  });

  it('names a register that is not there', async () => {
    const { gdb } = await open({ registers });
    await expect(gdb.readRegister('MIDR_EL1')).rejects.toThrow('no register MIDR_EL1');
  });
});

describe('running', () => {
  it('sets and removes hardware breakpoints', async () => {
    const { gdb, stub } = await open({});
    await gdb.insertBreakpoint(TEXT);
    expect(stub.breakpoints).toEqual(new Set([0xffff_8000_0000_0000n]));
    await gdb.removeBreakpoint(TEXT);
    expect(stub.breakpoints.size).toBe(0);
  });

  it('gives up a machine that runs on, and can stop it then', async () => {
    const { gdb } = await open({ registers: { pc: 1n } });
    await expect(gdb.continue(20)).rejects.toThrow(GdbTimeout);
    await gdb.interrupt();
    expect(await gdb.readRegister('pc')).toBe(1n);
  });

  it('knows the end of the machine by its exit packet and by the closed connection', async () => {
    const { gdb, stub } = await open({ stops: [() => 'W00'] });
    await expect(gdb.continue(1000)).rejects.toThrow(GdbClosed);
    const waiting = gdb.continue(1000);
    stub.close();
    await expect(waiting).rejects.toThrow(GdbClosed);
    await expect(gdb.step()).rejects.toThrow(GdbClosed);
  });

  it('refuses a second command while one waits', async () => {
    const { gdb } = await open({});
    const waiting = gdb.continue(50);
    await expect(gdb.step()).rejects.toThrow('another command');
    await expect(waiting).rejects.toThrow(GdbTimeout);
  });
});

describe('a line with noise', () => {
  it('asks again for an answer that came damaged', async () => {
    const damage = (packet: string, count: number): string => (count === 6 ? packet.replace('$', '$0') : packet);
    const bytes = pattern(600);
    const { gdb } = await open({ memory: [{ address: 0, bytes }], wire: damage });
    expect(Buffer.from(await gdb.readMemory(0, 600)).equals(bytes)).toBe(true);
  });

  it('sends a command again that the stub could not read', async () => {
    const { gdb, stub } = await open({ registers: { pc: 5n }, rejects: (count) => count % 3 !== 2 });
    expect(await gdb.readRegister('pc')).toBe(5n);
    expect(stub.commands.at(-1)).toBe('p20');
  });

  it('gives up a stub that never understands', async () => {
    const stub = new FakeStub({ rejects: () => true });
    await expect(GdbClient.connect(stub.stream)).rejects.toThrow('cannot read our packets');
  });

  it('refuses a register that is unavailable', async () => {
    const wire = (packet: string): string => packet.replace('$0500000000000000#05', '$xxxxxxxx#c0');
    const { gdb } = await open({ registers: { pc: 5n }, wire });
    await expect(gdb.readRegister('pc')).rejects.toThrow("register pc reads as 'xxxxxxxx'");
  });
});
