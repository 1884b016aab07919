import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { run, runJson, runRefused, temporaryFolder } from '../support/cli.js';
import { SAMPLE_KERNELS, samplePath } from '../support/sample.js';

interface Seeds {
  fixedBits: string;
  freeBits: string;
  count: string;
  lowest: string;
  highest: string;
  example: string;
}

interface Located {
  text: string;
  offset: string;
  era: string;
  vaBits: number;
  kaslr: boolean;
  seeds: Seeds | null;
  candidates: { cpuVaBits: number[]; seeds: Seeds }[];
  consistent: boolean;
  contradictions: string[];
  release?: string;
  phys?: string;
  physOffset?: string;
  position?: number;
  modules?: string[];
}

const SEED = '0xfedcba9876543210';
const PHYS = '0x40210000';
const NO_SEED: Seeds = {
  fixedBits: '0xffffffffffffffff',
  freeBits: '0x0000000000000000',
  count: '0x0000000000000001',
  lowest: '0x0000000000000000',
  highest: '0x0000000000000000',
  example: '0x0000000000000000',
};
const folder = temporaryFolder();
const hex = (x: bigint): string => `0x${x.toString(16).padStart(16, '0')}`;

function writeFolder(name: string, content: string | Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

const panic = (offset: string, from: string, version = '6.1.0-56-arm64'): string =>
  [
    `Linux version ${version} (debian-kernel@lists.debian.org)`,
    'Modules linked in: xfs(E) libcrc32c [last unloaded: demo]',
    `Kernel Offset: ${offset} from ${from}`,
    'PHYS_OFFSET: 0x40000000',
  ]
    .map((line) => `[   12.345678] ${line}\n`)
    .join('');

describe.each(SAMPLE_KERNELS)('locate, for the kernel of style $style', ({ image, vmlinux }) => {
  const { text } = runJson<{ text: string }>('place', samplePath(image), '--seed', SEED, '--phys', PHYS);
  const symbols = runJson<{ name: string; address: string }[]>('symbols', samplePath(vmlinux), '--text', text);

  it('finds _text from any symbol, and a seed that place puts there', () => {
    for (const { name, address } of [symbols[0]!, symbols.at(-1)!]) {
      const located = runJson<Located>('locate', samplePath(vmlinux), '--symbol', `${name}=${address}`, '--phys', PHYS);
      expect(located).toMatchObject({
        text,
        kaslr: true,
        consistent: true,
        contradictions: [],
        phys: hex(BigInt(PHYS)),
      });
      const again = runJson<{ text: string }>(
        'place',
        samplePath(image),
        '--seed',
        located.seeds!.example,
        '--phys',
        PHYS,
      );
      expect(again.text).toBe(text);
      const { fixedBits, example } = located.seeds!;
      expect(BigInt(SEED) & BigInt(fixedBits)).toBe(BigInt(example) & BigInt(fixedBits));
    }
  });

  it('exits with 1 where no seed leads there', () => {
    const { name, address } = symbols[0]!;
    const wrong = hex((1n << 64n) - (1n << 30n) + (BigInt(address) & 0xfffffn));
    const { status, stdout, stderr } = run(['locate', samplePath(vmlinux), '--symbol', `${name}=${wrong}`, '--json']);
    expect([status, stderr]).toEqual([1, '']);
    const located = JSON.parse(stdout) as Located;
    expect(located).toMatchObject({ seeds: null, candidates: [], consistent: false, kaslr: true });
    expect(located.contradictions[0]).toContain('lies outside');
  });

  it('takes a kernel at its link address for one without a seed', () => {
    const [{ name, address }] = runJson<{ name: string; address: string }[]>('symbols', samplePath(vmlinux)) as [
      { name: string; address: string },
    ];
    const located = runJson<Located>('locate', samplePath(vmlinux), '--symbol', `${name}=${address}`);
    expect(located).toMatchObject({ offset: hex(0n), kaslr: false, seeds: NO_SEED, consistent: true });
  });

  it('finds it in a dump of memory, raw or as an ELF core', () => {
    const relocated = join(folder, 'relocated');
    runJson('relocate', samplePath(image), '--seed', SEED, '--phys', PHYS, '-o', relocated);
    const memory = new Uint8Array(4 * 2 ** 20).fill(0x5a);
    memory.set(readFileSync(relocated), 0x210000);
    const raw = runJson<Located>('locate', samplePath(image), '--memory', writeFolder('memory', memory));
    expect(raw).toMatchObject({ text, consistent: true, position: 0x210000 });
    expect(raw.phys).toBeUndefined();
    const core = runJson<Located>('locate', samplePath(image), '--memory', writeFolder('core', coreOf(memory)));
    expect(core).toMatchObject({ text, consistent: true, phys: hex(BigInt(PHYS)), position: 0x210000 + CORE_HEADER });
  });
});

/** As QEMU's dump-guest-memory writes it: memory begins at no page of the file. */
const CORE_HEADER = 0x4f0;

function coreOf(memory: Uint8Array): Uint8Array {
  const core = new Uint8Array(CORE_HEADER + memory.length);
  const view = new DataView(core.buffer);
  core.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 4, true); // ET_CORE
  view.setUint16(18, 183, true); // EM_AARCH64
  view.setBigUint64(32, 64n, true); // e_phoff
  view.setUint16(54, 56, true); // e_phentsize
  view.setUint16(56, 1, true); // e_phnum
  view.setUint32(64, 1, true); // PT_LOAD
  view.setBigUint64(72, BigInt(CORE_HEADER), true); // p_offset
  view.setBigUint64(88, 0x40000000n, true); // p_paddr
  view.setBigUint64(96, BigInt(memory.length), true); // p_filesz
  core.set(memory, CORE_HEADER);
  return core;
}

/** A vmlinux in which one symbol has the name of another. */
function renamed(file: string, from: string, to: string): Buffer {
  const bytes = Buffer.from(readFileSync(file));
  const u64 = (at: number) => Number(bytes.readBigUInt64LE(at));
  const headers = Array.from({ length: bytes.readUInt16LE(60) }, (_, i) => u64(40) + 64 * i);
  const symtab = headers.find((at) => bytes.readUInt32LE(at + 4) === 2)!; // SHT_SYMTAB
  const strings = u64(headers[bytes.readUInt32LE(symtab + 40)]! + 24);
  const entryOf = (name: string) => {
    for (let at = u64(symtab + 24); at < u64(symtab + 24) + u64(symtab + 32); at += 24) {
      const start = strings + bytes.readUInt32LE(at);
      if (bytes.toString('latin1', start, bytes.indexOf(0, start)) === name) return at;
    }
    throw new Error(`no symbol ${name}`);
  };
  bytes.writeUInt32LE(bytes.readUInt32LE(entryOf(to)), entryOf(from));
  return bytes;
}

describe('locate --log', () => {
  const log = writeFolder('panic.txt', panic('0x495d77c00000', '0xffff800008000000'));

  it('does without a kernel where the log names the version', () => {
    expect(runJson<Located>('locate', '--log', log)).toEqual({
      text: '0xffffc95d7fc00000',
      offset: '0x0000495d77c00000',
      era: '6.0',
      vaBits: 48,
      kaslr: true,
      seeds: {
        fixedBits: '0x00003fffffe00000',
        freeBits: '0xffffc000001fffff',
        count: '0x0000008000000000',
        lowest: '0x0000295d77c00000',
        highest: '0xffffe95d77dfffff',
        example: '0x0000295d77c00000',
      },
      candidates: [{ cpuVaBits: [48], seeds: expect.anything() }],
      consistent: true,
      contradictions: [],
      release: '6.1.0-56-arm64',
      physOffset: '0x0000000040000000',
      modules: ['xfs', 'libcrc32c'],
    });
  });

  it('reads standard input for -', () => {
    const { status, stdout } = run(['locate', '--log', '-', '--json'], { input: readFileSync(log) });
    expect([status, JSON.parse(stdout).text]).toEqual([0, '0xffffc95d7fc00000']);
  });

  it('needs an era where the log does not name the version', () => {
    const bare = writeFolder('bare.txt', 'Kernel Offset: 0x2abd800000 from 0xffffffc010000000\r\n');
    expect(runRefused(['locate', '--log', bare])).toContain('give a kernel file or --era');
    expect(runJson<Located>('locate', '--log', bare, '--era', '5.4')).toMatchObject({ vaBits: 39, consistent: true });
  });

  it('needs the size of an image that is moved off boundaries', () => {
    const old = writeFolder('old.txt', panic('0x35d70c00000', '0xffff000008000000', '4.14.2'));
    expect(runRefused(['locate', '--log', old])).toContain('--image-size');
    expect(runJson<Located>('locate', '--log', old, '--image-size', '0x1200000')).toMatchObject({
      text: '0xffff035d78c80000',
      consistent: true,
    });
  });

  it('takes an offset of LPA2 hardware for that, and for a mismatch on a CPU without', () => {
    const lpa2 = writeFolder('lpa2.txt', panic('0x17f251000000', '0xffff800080000000', '6.12.5'));
    expect(runJson<Located>('locate', '--log', lpa2)).toMatchObject({
      vaBits: 52,
      consistent: true,
      candidates: [{ cpuVaBits: [52] }],
    });
    expect(run(['locate', '--log', lpa2, '--va-bits', '48']).status).toBe(1);
  });

  it('compares with the kernel file, if there is one', () => {
    const kernel = samplePath('6.1/Image');
    const same = writeFolder('same.txt', panic('0x495d77c00000', '0xffff800008000000', '6.1.0-kaslrkit'));
    expect(runJson<Located>('locate', kernel, '--log', same)).toMatchObject({
      text: '0xffffc95d7fc00000',
      consistent: true,
    });
    const { status, stdout } = run(['locate', kernel, '--log', log, '--json']);
    expect(status).toBe(1);
    expect((JSON.parse(stdout) as Located).contradictions).toEqual([
      'the release is 6.1.0-56-arm64 in the log and 6.1.0-kaslrkit in the kernel file',
    ]);
  });

  it('reads vmcoreinfo, with the load address and the VA bits of the CPU', () => {
    const info = writeFolder(
      'vmcoreinfo',
      [
        'OSRELEASE=6.12.107+deb13-arm64',
        'PAGESIZE=4096',
        'NUMBER(VA_BITS)=52',
        'NUMBER(MODULES_END)=0xffff800080000000',
        'NUMBER(kimage_voffset)=0xffffb15a23e00000',
        'NUMBER(TCR_EL1_T1SZ)=0xc',
        'KERNELOFFSET=3159e4000000',
        '',
      ].join('\n'),
    );
    const located = runJson<Located>('locate', '--log', info);
    expect(located).toMatchObject({ text: '0xffffb15a64000000', vaBits: 52, phys: hex(0x40200000n), consistent: true });
    expect(located.candidates.map(({ cpuVaBits }) => cpuVaBits)).toEqual([[52]]);
    // Debian's 6.12 booted there with this seed on QEMU's max CPU.
    const { lowest, highest } = located.seeds!;
    expect(BigInt(lowest) <= BigInt(SEED) && BigInt(SEED) <= BigInt(highest)).toBe(true);
  });

  it('compares the symbols of vmcoreinfo with those of the kernel file', () => {
    const kernel = samplePath('6.12/vmlinux');
    const { text } = runJson<{ text: string }>('place', kernel, '--seed', SEED);
    const symbols = runJson<{ name: string; address: string }[]>('symbols', kernel, '--text', text);
    const { name, address } = symbols.find((symbol) => symbol.name === 'swapper_pg_dir')!;
    const info = (x: bigint) =>
      writeFolder(
        'symbols.txt',
        `SYMBOL(${name})=${x.toString(16)}\nKERNELOFFSET=${(BigInt(text) - 0xffff800080000000n).toString(16)}\n`,
      );
    expect(runJson<Located>('locate', kernel, '--log', info(BigInt(address)))).toMatchObject({
      text,
      consistent: true,
    });
    const { status, stdout } = run(['locate', kernel, '--log', info(BigInt(address) + 4096n), '--json']);
    const { consistent, contradictions } = JSON.parse(stdout) as Located;
    expect([status, consistent, contradictions.length]).toEqual([1, false, 1]);
    expect(contradictions[0]).toContain("swapper_pg_dir's link address");
  });

  it('says on stderr that a log tells of several boots, unless --quiet', () => {
    const journal = writeFolder(
      'journal.txt',
      panic('0x4ce722520000', '0xffff800008000000') + panic('0x495d77c00000', '0xffff800008000000'),
    );
    expect(run(['locate', '--log', journal, '--json']).stderr).toBe(
      `${journal} holds 2 different offsets; this is the last\n`,
    );
    expect(run(['locate', '--log', journal, '--json', '--quiet']).stderr).toBe('');
  });

  it('refuses kernels, memory and UTF-16, which are no text', () => {
    const cases = [
      samplePath('6.1/Image'),
      samplePath('6.12/vmlinux'),
      writeFolder('utf16.txt', Buffer.from(panic('0x495d77c00000', '0xffff800008000000'), 'utf16le')),
      writeFolder('zero.bin', Buffer.concat([Buffer.alloc(2 ** 20), Buffer.from('Kernel Offset: disabled\n')])),
    ];
    for (const file of cases) expect(runRefused(['locate', '--log', file])).toContain(`${file}: is not a text log`);
  });

  it('reads a serial log with stray NULs: 64 of them, or 1 in 100 bytes', () => {
    const text = panic('0x495d77c00000', '0xffff800008000000');
    const short = (nuls: number) => writeFolder('serial.txt', '\0'.repeat(nuls) + text);
    expect(runJson<Located>('locate', '--log', short(64)).text).toBe('0xffffc95d7fc00000');
    runRefused(['locate', '--log', short(65)]);
    const long = (nuls: number) => {
      const bytes = Buffer.alloc(20_000, 'console output\n').fill(0, 0, nuls);
      bytes.write(text, bytes.length - text.length);
      return writeFolder('long.txt', bytes);
    };
    expect(runJson<Located>('locate', '--log', long(200)).text).toBe('0xffffc95d7fc00000');
    runRefused(['locate', '--log', long(201)]);
  });

  it('refuses a log without an offset, or of another machine', () => {
    expect(runRefused(['locate', '--log', writeFolder('empty.txt', '')])).toContain("'Kernel Offset:'");
    const x86 = writeFolder('x86.txt', panic('0x1c000000', '0xffffffff81000000'));
    expect(runRefused(['locate', '--log', x86])).toContain('VA bits');
    const absurd = writeFolder('absurd.txt', panic('0xffffffffffffffff', '0xffff800008000000'));
    expect(runRefused(['locate', '--log', absurd])).toContain('absurd.txt: ');
  });
});

describe('locate', () => {
  const kernel = samplePath('6.12/vmlinux');

  it('prints what debuggers need to be told', () => {
    const { status, stdout } = run(['locate', kernel, '--symbol', '_text=0xffffde3841e00000', '--phys', '0x40200000']);
    expect(status).toBe(0);
    const lines = stdout.split('\n').map((line) => line.replace(/^(gdb|crash|drgn)? +/, ''));
    expect(lines).toContain(`symbol-file -o 0x5e37c1e00000 ${kernel}`);
    expect(lines).toContain(`add-symbol-file ${kernel} -o 0x5e37c1e00000`);
    expect(lines).toContain(`crash --kaslr=0x5e37c1e00000 -m kimage_voffset=0xffffde3801c00000 ${kernel} VMCORE`);
  });

  it('prints what the arithmetic of 6.0 says by hand', () => {
    // offset = 2^45 + (seed & (2^46 - 2^21)), so that the seed has 0x495d77c00000 - 0x200000000000 in these 25 bits, and
    // 2^39 seeds have; swapper_pg_dir is at 0xc000 of the image.
    const { status, stdout, stderr } = run(['locate', 'vmlinux', '--symbol', '_text=0xffffc95d7fc00000'], {
      cwd: dirname(samplePath('6.1/vmlinux')),
    });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`kernel      6.1.0-kaslrkit
era         6.0
_text       0xffffc95d7fc00000
offset      0x0000495d77c00000
VA bits     48
seed        0x0000295d77c00000, or another of 549,755,813,888, on a CPU with 48 VA bits
            with the same bits in 0x00003fffffe00000
consistent  yes
gdb         symbol-file -o 0x495d77c00000 vmlinux
            add-symbol-file vmlinux -o 0x495d77c00000
crash       crash --kaslr=0x495d77c00000 vmlinux VMCORE
drgn        drgn.Program(vmcoreinfo="OSRELEASE=6.1.0-kaslrkit\\nPAGESIZE=4096\\nSYMBOL(swapper_pg_dir)=ffffc95d7fc0c000\\nNUMBER(VA_BITS)=48\\nKERNELOFFSET=495d77c00000\\n")
`);
  });

  it('prints none of it for an address that cannot be', () => {
    const { status, stdout } = run(['locate', kernel, '--symbol', '_text=0xfffffffff0000000']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^consistent +no\n +offset 0x7fff70000000 lies outside/m);
    expect(stdout).not.toMatch(/^(gdb|crash|seed)/m);
  });

  it('tells symbols of one name apart by where the image can be', () => {
    const linkBase = 0xffff800080000000n;
    const text = 0xffffde3841e00000n;
    const linked = runJson<{ name: string; address: string }[]>('symbols', kernel);
    const symbolAt = (fits: (address: bigint) => boolean) => linked.find(({ address }) => fits(BigInt(address)))!;
    const first = symbolAt((x) => x > linkBase && x % 4096n === 0n);
    const aligned = symbolAt((x) => x > BigInt(first.address) && x % 4096n === 0n);
    const odd = symbolAt((x) => x > BigInt(first.address) && x % 4096n !== 0n);
    const run64 = (address: string) => hex(BigInt(address) - linkBase + text);
    const twin = writeFolder('twin', renamed(kernel, odd.name, first.name));
    for (const { address } of [first, odd]) {
      const located = runJson<Located>('locate', twin, '--symbol', `${first.name}=${run64(address)}`);
      expect(located).toMatchObject({ text: hex(text), consistent: true });
    }
    // Both a page multiple away: either may have run there.
    const same = writeFolder('same', renamed(kernel, aligned.name, first.name));
    const refusal = runRefused(['locate', same, '--symbol', `${first.name}=${run64(aligned.address)}`]);
    expect(refusal).toContain('ambiguous');
    expect(refusal).toContain(first.address);
    expect(refusal).toContain(aligned.address);
    const { status, stdout } = run(['locate', twin, '--symbol', `${first.name}=0xffffde3841e00004`, '--json']);
    expect([status, (JSON.parse(stdout) as Located).consistent]).toEqual([1, false]);
  });

  it('knows where _text and _end are without a symbol', () => {
    const [{ imageSize }] = runJson<[{ imageSize: number }]>('inspect', kernel);
    const end = hex(0xffffde3841e00000n + BigInt(imageSize));
    expect(runJson<Located>('locate', kernel, '--symbol', `_end=${end}`).text).toBe('0xffffde3841e00000');
  });

  it('finds that a load address contradicts the address', () => {
    const args = ['locate', kernel, '--symbol', '_text=0xffffde3841e00000', '--phys', '0x40210000', '--json'];
    const { status, stdout } = run(args);
    expect(status).toBe(1);
    expect((JSON.parse(stdout) as Located).contradictions[0]).toContain('low 21 bits');
  });

  it.each([
    [['locate'], 'one of --symbol, --log and --memory is needed'],
    [['locate', kernel], 'one of --symbol, --log and --memory is needed'],
    [['locate', '--symbol', '_text=1'], 'a kernel file is needed'],
    [['locate', '--memory', kernel], 'a kernel file is needed'],
    [['locate', kernel, '--symbol', '_text'], "--symbol '_text' is not NAME=ADDR"],
    [['locate', kernel, '--symbol', 'nosuch=1'], "no symbol 'nosuch'"],
    [['locate', kernel, '--symbol', '_text=here'], "'here' is not a decimal or 0x hexadecimal number"],
    [['locate', kernel, '--symbol', '_text=0x8000000000000000'], 'is not a canonical address'],
    [['locate', kernel, '--symbol', '_text=1', '--log', 'x'], 'mutually exclusive'],
    [['locate', kernel, '--log', 'x', '--memory', 'x'], 'mutually exclusive'],
    [['locate', kernel, '--symbol', '_text=1', '--page-size', '4096'], '--page-size says what the kernel file says'],
    [['locate', kernel, '--log', '/nonexistent'], '/nonexistent: no such file'],
    [['locate', kernel, '--memory', '/nonexistent'], '/nonexistent: no such file'],
    [['locate', kernel, '--memory', '/'], '/: is a directory'],
    [['locate', kernel, '--memory', kernel], 'no core dump'],
    [['locate', kernel, '--memory', samplePath('6.1/Image')], 'the kernel is not in this memory'],
    [['locate', kernel, '--symbol', '_text=0xffffde3841e00000', '--va-bits', '39'], 'VA bits'],
  ])('refuses %j', (args, reason) => {
    expect(runRefused(args)).toContain(reason);
  });
});
