/**
 * The examples of `--help`, made to run: their words, and a folder with every file they name.
 *
 * Examples speak of the files that users have. The folder holds samples under these names, and absolute paths are looked
 * up in it, so that the help reads as a user would type it.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { run } from './cli.js';
import { samplePath } from './sample.js';

const RELEASE = '6.12.0-kaslrkit';

/** Sample by the names that examples use. */
const FILES: Readonly<Record<string, string>> = {
  vmlinuz: '6.12/Image.gz',
  vmlinux: '6.12/vmlinux',
  [`boot/vmlinuz-${RELEASE}`]: '6.12/Image.gz',
  'xfs.ko': '6.12/importer.ko',
  'driver.ko': '6.12/large_movw.ko',
};

/** What the seed of the examples makes of `vmlinuz`, as a panic tells it. */
const PANIC = `[    0.000000] Linux version ${RELEASE} (builder@example) #1 SMP
[   12.345678] Kernel panic - not syncing: sysrq triggered crash
[   12.345679] Kernel Offset: 0x5e37c1e00000 from 0xffff800080000000
[   12.345680] PHYS_OFFSET: 0x40000000
`;
/** What dmesg prints: one line that explain knows. */
const DMESG = `[   12.345678] usbcore: registered new interface driver tun
[   12.345679] module tun: overflow in relocation type 261 val fffffdfffc000654
`;

/** Modules that can be loaded: `pic` is there to be refused. */
const isLoadable = (name: string): boolean => name.endsWith('.ko') && name !== 'pic.ko';

/** Fills `folder` with what examples refer to. */
export function writeExampleFiles(folder: string): void {
  for (const [name, sample] of Object.entries(FILES)) copy(sample, join(folder, name));
  const samples = readdirSync(samplePath('6.12')).filter(isLoadable);
  for (const name of samples) copy(`6.12/${name}`, join(folder, 'lib/modules', RELEASE, 'kernel', name));
  writeFileSync(join(folder, 'panic.txt'), PANIC);
  for (const shard of ['1/2', '2/2']) {
    const sweep = ['sweep', '--kernel', 'vmlinuz', '--modules', 'lib/modules', '--shard', shard, '--json'];
    writeFileSync(join(folder, `shard-${shard[0]}.json`), run(sweep, { cwd: folder }).stdout);
  }
  run(['relocate', 'vmlinuz', '--seed', '0xfedcba9876543210', '-o', 'ram.image'], { cwd: folder });
  const memory = new Uint8Array(2 ** 22);
  memory.set(readFileSync(join(folder, 'ram.image')), 2 ** 21);
  writeFileSync(join(folder, 'ram.bin'), memory);
}

function copy(sample: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  cpSync(samplePath(sample), target);
}

/** The commands that `kaslrkit --help` lists. */
export function commandNames(): string[] {
  return [...run(['--help']).stdout.matchAll(/^ {2}kaslrkit ([a-z]+)/gm)].map(([, name]) => name!);
}

/** The command lines under `Examples:` of a command's help; they may be folded in their column. */
export function examplesOf(command: string): string[] {
  const [, listed] = run([command, '--help']).stdout.split('\nExamples:\n');
  const lines = (listed ?? '').split('\n').filter((line) => line.startsWith('  '));
  const width = lines.length === 0 ? 0 : lines[0]!.search(/(?<=\S {2,})\S/);
  const examples: string[] = [];
  for (const line of lines) {
    const text = line.slice(0, width).trim();
    if (/^(dmesg \| )?kaslrkit /.test(text)) examples.push(text);
    else if (text !== '') examples.push(`${examples.pop()} ${text}`);
  }
  return examples;
}

export interface Invocation {
  /** What follows `kaslrkit`, as a shell in the folder makes it. */
  readonly words: readonly string[];
  /** What is piped in. */
  readonly input?: Uint8Array;
}

/** What a shell in `folder` makes of an example, up to a redirection. */
export function invocationOf(example: string, folder: string): Invocation {
  const [, source, command] = /^(?:(\S+) \| )?kaslrkit (.*?)( > \S+)?$/.exec(
    example.replaceAll('$(uname -r)', RELEASE),
  )!;
  const words = [...command!.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].flatMap(([, single, double, bare]) => {
    if (bare === undefined) return [single ?? double ?? ''];
    const word = bare.startsWith('/') ? join(folder, bare) : bare;
    return word.includes('*') ? expand(word, folder) : [word];
  });
  return { words, ...(source === 'dmesg' && { input: Buffer.from(DMESG) }) };
}

/** A `*` in the last part of a path. */
function expand(pattern: string, folder: string): string[] {
  const [start, end] = basename(pattern).split('*') as [string, string];
  const names = readdirSync(join(dirname(pattern) === '.' ? folder : dirname(pattern)));
  return names
    .filter((name) => name.startsWith(start) && name.endsWith(end))
    .map((name) => join(dirname(pattern), name));
}
