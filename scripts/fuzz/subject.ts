/** What is fuzzed: sound files of every kind, and how each kind is changed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { mutateBytes } from './byte-mutation.js';
import { coreDump, rawDump } from './dump-subject.js';
import { mutateElf } from './elf-mutation.js';
import type { Random } from './random.js';
import { containerSpans, dumpSpans, imageSpans, mutateSpan, type Span } from './span-mutation.js';
import { mutateText } from './text-mutation.js';

export const KINDS = ['module', 'vmlinux', 'image', 'container', 'dump', 'plan', 'config', 'log'] as const;
export type Kind = (typeof KINDS)[number];

export interface Subject {
  readonly name: string;
  readonly kind: Kind;
  readonly bytes: Uint8Array;
}

const STYLES = ['4.6', '6.1', '6.12'];

const PLAN = {
  modules: [
    {
      name: 'many-calls',
      memory: { core: '0xffff800001000000', init: '0xffff800001008000' },
      percpu: '0xffff80000a000040',
    },
    { name: 'xfs', memory: { text: '0xffff800001010000', data: '18446603336238235648' }, percpu: null },
  ],
};
const CONFIG = [
  '# Linux/arm64 6.1.0 Kernel Configuration',
  'CONFIG_ARM64_VA_BITS=48',
  'CONFIG_KALLSYMS=y',
  '# CONFIG_KASAN is not set',
  '',
];
const LOG = [
  '[    0.000000] Linux version 6.1.0-kaslrkit (x@y) (gcc) #1 SMP',
  '[   10.123456] CPU: 0 PID: 1 Comm: init Not tainted 6.1.0-kaslrkit #1',
  '[   10.123456] Modules linked in: exporter importer(E) [last unloaded: percpu]',
  '[   10.234567] Kernel Offset: 0x5e8640200000 from 0xffff800008000000',
  '[   10.234567] PHYS_OFFSET: 0xffffa0d140000000',
  'OSRELEASE=6.1.0-kaslrkit',
  'KERNELOFFSET=5e8640200000',
  'NUMBER(VA_BITS)=48',
  'NUMBER(kimage_voffset)=0xffffde3841e00000',
  '',
];

/** The 64-byte header of an EFI zboot file (Linux zboot-header.S) before its payload. */
function zboot(payload: Uint8Array, compression: string): Uint8Array {
  const header = Buffer.alloc(64);
  header.write('MZ\0\0zimg', 'latin1');
  header.writeUInt32LE(header.length, 8);
  header.writeUInt32LE(payload.length, 12);
  header.write(compression, 24, 'latin1');
  return Buffer.concat([header, payload]);
}

/** @param root the project's folder */
export function readSubjects(root: string): Subject[] {
  const bin = join(root, 'samples/bin');
  const corpus = join(root, 'scripts/fuzz/corpus');
  const subject = (kind: Kind, name: string, bytes: Uint8Array): Subject => ({
    kind,
    name,
    bytes: Uint8Array.from(bytes),
  });
  const modules = STYLES.flatMap((style) => {
    const names = readdirSync(join(bin, style))
      .filter((name) => name.endsWith('.ko'))
      .sort();
    return names.map((name) => subject('module', `${style}/${name}`, readFileSync(join(bin, style, name))));
  });
  const vmlinux = STYLES.map((style) =>
    subject('vmlinux', `${style}/vmlinux`, readFileSync(join(bin, style, 'vmlinux'))),
  );
  const packedImage = readFileSync(join(bin, '6.12/Image.gz'));
  const packed = readdirSync(corpus)
    .sort()
    .map((name) => ({ name, bytes: readFileSync(join(corpus, name)) }));
  return [
    ...modules,
    ...vmlinux,
    subject('image', '4.6/Image', readFileSync(join(bin, '4.6/Image'))),
    subject('image', '6.1/Image', readFileSync(join(bin, '6.1/Image'))),
    subject('image', '6.12/Image', gunzipSync(packedImage)),
    subject('container', '6.12/Image.gz', packedImage),
    ...packed.flatMap(({ name, bytes }) => [
      subject('container', name, bytes),
      subject('container', `zboot of ${name}`, zboot(bytes, name.slice(name.lastIndexOf('.') + 1))),
    ]),
    subject('dump', 'raw memory', rawDump(root)),
    subject('dump', 'ELF core', coreDump(root)),
    subject('plan', 'plan', Buffer.from(JSON.stringify(PLAN, null, 1))),
    subject('config', 'config', Buffer.from(CONFIG.join('\n'))),
    subject('log', 'log', Buffer.from(LOG.join('\n'))),
  ];
}

const spansOf = new WeakMap<Subject, readonly Span[]>();

function mutateSpans(
  subject: Subject,
  find: (bytes: Uint8Array) => readonly Span[],
  bytes: Uint8Array,
  random: Random,
): Uint8Array {
  const spans = spansOf.get(subject) ?? find(subject.bytes);
  spansOf.set(subject, spans);
  const span = random.pick(spans);
  return span.end <= bytes.length ? mutateSpan(bytes, span, random) : mutateBytes(bytes, random);
}

type Change = (subject: Subject, bytes: Uint8Array, random: Random) => Uint8Array;

const structured: Readonly<Record<Kind, Change>> = {
  module: ({ bytes: sound }, bytes, random) => mutateElf(sound, bytes, random),
  vmlinux: ({ bytes: sound }, bytes, random) => mutateElf(sound, bytes, random),
  image: (subject, bytes, random) => mutateSpans(subject, imageSpans, bytes, random),
  container: (subject, bytes, random) => mutateSpans(subject, containerSpans, bytes, random),
  dump: (subject, bytes, random) => mutateSpans(subject, dumpSpans, bytes, random),
  plan: (_, bytes, random) => mutateText(bytes, random),
  config: (_, bytes, random) => mutateText(bytes, random),
  log: (_, bytes, random) => mutateText(bytes, random),
};

/** Mostly one change or two, now and then dozens. */
export function mutate(subject: Subject, random: Random): Uint8Array {
  let { bytes } = subject;
  const changes = 1 + random.below(random.pick([1, 2, 4, 40]));
  for (let i = 0; i < changes; i++) {
    bytes = random.once(4) ? mutateBytes(bytes, random) : structured[subject.kind](subject, bytes, random);
  }
  return bytes;
}
