import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { parseU64, parseVa, toU64, type Va, va } from '../../lib/address.js';
import type { Kernel } from '../../lib/image/kernel.js';
import { type Era, eraByKey, eraOfVersion } from '../../lib/kaslr/era.js';
import { type Geometry, IMAGE_ALIGN } from '../../lib/kaslr/layout.js';
import type { Machine } from '../../lib/kaslr/place.js';
import { type BootRecord, readBootRecord } from '../../lib/locate/boot-record.js';
import { buildIdsOf } from '../../lib/locate/build-id.js';
import { fingerprint } from '../../lib/locate/fingerprint.js';
import { locate } from '../../lib/locate/locate.js';
import { type FoundImage, findImages } from '../../lib/locate/memory-search.js';
import { contradictionsWith, machineOfRecord, possibleGeometries } from '../../lib/locate/record-machine.js';
import { linkAddressesOf, movingSymbols, textOfSymbol } from '../../lib/locate/symbol-text.js';
import { withDump } from '../dump-file.js';
import { readLines } from '../log-file.js';
import { type MachineArguments, readMachineKernel, withMachine, withoutPlace } from '../machine.js';
import { aboutFile, UsageError } from '../output/error.js';
import { isConsistent, type LocationReport, locationJson, printLocation } from '../output/location.js';
import { formatSize, printJson } from '../output/print.js';
import { machineOf, parseCount } from '../placement.js';

const OPTIONS = {
  symbol: { type: 'string', requiresArg: true, describe: 'NAME=ADDR: the run address of a symbol' },
  log: { type: 'string', requiresArg: true, describe: "file with a panic, or with vmcoreinfo ('-': standard input)" },
  memory: { type: 'string', requiresArg: true, describe: 'dump of physical memory, raw or an ELF core' },
} as const satisfies Record<string, Options>;

type Arguments = MachineArguments & InferredOptionTypes<typeof OPTIONS> & { json?: boolean; quiet?: boolean };

export function builder(argv: Argv): Argv {
  return withMachine(argv)
    .options(OPTIONS)
    .conflicts('symbol', ['log', 'memory'])
    .conflicts('log', 'memory')
    .example('$0 locate vmlinuz --symbol _stext=0xffffde3841e10000', 'what one address says about a boot')
    .example('$0 locate --log panic.txt', 'a panic that names its kernel version')
    .example('$0 locate vmlinuz --memory ram.bin', 'a running kernel in a dump of its memory');
}

export async function handler(values: unknown): Promise<void> {
  const options = values as Arguments;
  const report = options.log === undefined ? await fromKernel(options) : await fromLog(options.log, options);
  if (options.json) printJson(locationJson(report));
  else printLocation(report);
  if (!isConsistent(report)) process.exitCode = 1;
}

/** The CPU that was given, else what runs the kernel with VA_BITS_MIN and with VA_BITS. */
function geometriesOf(kernel: Kernel, { 'va-bits': vaBits }: Arguments, known?: number): Geometry[] {
  return possibleGeometries(kernel, vaBits === undefined ? known : parseCount(vaBits, '--va-bits'));
}

async function fromKernel(options: Arguments): Promise<LocationReport> {
  const { kernel: file, symbol, memory } = options;
  if (symbol === undefined && memory === undefined) {
    throw new UsageError('one of --symbol, --log and --memory is needed');
  }
  if (file === undefined) throw new UsageError('a kernel file is needed: only a log can do without');
  const kernel = await readMachineKernel(file, options);
  const found = memory === undefined ? undefined : await searchDump(memory, { file, kernel }, options);
  return aboutFile(file, () => {
    const text = found ? va(kernel.linkBase + found.offset) : textOf(kernel, symbol!, options);
    return reportOf(kernel, text, { options, file, phys: found?.phys, position: found?.position });
  });
}

/** `_text` from one symbol's run address. */
function textOf(kernel: Kernel, symbol: string, options: Arguments): Va {
  const [, name, value] = /^([^=]+)=(.+)$/.exec(symbol) ?? [];
  if (name === undefined || value === undefined) throw new UsageError(`--symbol '${symbol}' is not NAME=ADDR`);
  const linked = linkAddressesOf(kernel, name);
  if (linked.length === 0) throw new UsageError(`--symbol: the kernel has no symbol '${name}'`);
  const phys = options.phys === undefined ? undefined : parseU64(options.phys, '--phys');
  return textOfSymbol({ linked, address: parseVa(value, `--symbol ${name}`) }, kernel.linkBase, {
    machine: { ...machineOf(kernel, withoutPlace(options), false), phys },
    geometries: geometriesOf(kernel, options),
  });
}

async function searchDump(
  memory: string,
  { file, kernel }: { file: string; kernel: Kernel },
  { quiet }: Arguments,
): Promise<FoundImage> {
  const print = await aboutFile(file, () => fingerprint(kernel.relocatable()));
  const isWatched = process.stderr.isTTY && !quiet;
  const images = await withDump(memory, (dump) =>
    findImages(dump, print, (done) => {
      if (isWatched) process.stderr.write(`\r${formatSize(done)} of ${formatSize(dump.size)}\u001b[K`);
    }),
  );
  if (isWatched) process.stderr.write('\r\u001b[K');
  const others = images.slice(1).filter(({ offset }) => offset !== 0 && offset !== images[0]!.offset);
  if (others.length > 0 && !quiet) {
    const offsets = others.map(({ offset }) => `0x${offset.toString(16)}`).join(', ');
    process.stderr.write(`${memory} holds this kernel at other offsets too, perhaps of earlier boots: ${offsets}\n`);
  }
  return images[0]!;
}

async function fromLog(log: string, options: Arguments): Promise<LocationReport> {
  const record = await aboutFile(log, () => readBootRecord(readLines(log)));
  if (record.offsets > 1 && !options.quiet) {
    process.stderr.write(`${log} holds ${record.offsets} different offsets; this is the last\n`);
  }
  const file = options.kernel;
  if (file === undefined) return aboutFile(log, () => reportOfRecord(record, options));
  const kernel = await readMachineKernel(file, options);
  return aboutFile(log, () => {
    const text = va(kernel.linkBase + Number(record.offset));
    const mismatches = contradictionsWith(record, {
      release: kernel.banner.release,
      kimageVaddr: va(Math.floor(kernel.linkBase / IMAGE_ALIGN) * IMAGE_ALIGN),
      vaBits: kernel.vaBits,
      pageSize: kernel.pageSize,
      linkAddresses: movingSymbols(kernel),
      buildIds: buildIdsOf(kernel.image),
    });
    return reportOf(kernel, text, { options, file, record, mismatches });
  });
}

const eraOf = (record: BootRecord, { era }: Arguments): Era => {
  if (era !== undefined) return eraByKey(era);
  if (record.version === undefined) {
    throw new UsageError('the log does not name the kernel version: give a kernel file or --era');
  }
  return eraOfVersion(record.version);
};

/** A log that says enough by itself. */
function reportOfRecord(record: BootRecord, options: Arguments): LocationReport {
  const count = (name: 'page-size' | 'image-size' | 'va-bits'): number | undefined =>
    options[name] === undefined ? undefined : parseCount(options[name], `--${name}`);
  const era = eraOf(record, options);
  if (era.crossingRule !== 'ignore' && options['image-size'] === undefined) {
    throw new UsageError(
      `era ${era.key} moves images off boundaries by their size: give a kernel file or --image-size`,
    );
  }
  const { machine, geometries } = machineOfRecord(record, {
    era,
    pageSize: count('page-size'),
    vaBits: count('va-bits'),
    imageSize: count('image-size'),
  });
  const text = va(machine.linkBase! + Number(record.offset));
  return reportOn(machine, text, { options, geometries, record, vmlinux: 'vmlinux' });
}

interface Source {
  readonly options: Arguments;
  readonly record?: BootRecord;
  readonly mismatches?: readonly string[];
  readonly phys?: bigint | undefined;
  readonly position?: number | undefined;
}

function reportOf(kernel: Kernel, text: Va, source: Source & { readonly file: string }): LocationReport {
  // Only the lines for debuggers need it, and decoding symbols takes longer than all the rest.
  const swapper = source.options.json ? undefined : movingSymbols(kernel)('swapper_pg_dir')[0];
  return {
    ...reportOn(machineOf(kernel, withoutPlace(source.options), false), text, {
      ...source,
      geometries: geometriesOf(kernel, source.options, source.record?.vaBitsActual),
      vmlinux: kernel.format === 'vmlinux' ? source.file : 'vmlinux',
    }),
    release: kernel.banner.release,
    swapperPgDir: swapper === undefined ? undefined : toU64(va(swapper + (text - kernel.linkBase))),
  };
}

function reportOn(
  machine: Machine,
  text: Va,
  source: Source & { readonly geometries: readonly Geometry[]; readonly vmlinux: string },
): LocationReport {
  const { record, options } = source;
  const voffset = record?.kimageVoffset;
  const phys =
    options.phys !== undefined
      ? parseU64(options.phys, '--phys')
      : (source.phys ?? (voffset === undefined ? undefined : BigInt.asUintN(64, toU64(text) - voffset)));
  return {
    location: locate({ ...machine, phys }, text, source.geometries),
    mismatches: source.mismatches ?? [],
    release: record?.release,
    pageSize: machine.geometry.pageSize,
    vmlinux: source.vmlinux,
    phys,
    physOffset: record?.physOffset,
    modules: record?.modules,
    position: source.position,
  };
}
