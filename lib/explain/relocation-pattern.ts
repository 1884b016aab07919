/**
 * What the module loader says of relocations.
 * @see Linux 6.1 arch/arm64/kernel/module.c, apply_relocate_add(); module-plts.c; the messages are the same from 3.7 to 7.3
 */
import { formatU64 } from '../address.js';
import { isAdrpRelocation } from '../plt/count.js';
import { needsGot, relocationName } from '../reloc/name.js';
import { findRelocationRow, type Operation, type RelocationRow } from '../reloc/table.js';
import type { ExplainContext, Pattern, Reading } from './explanation.js';

const OPERATIONS: Readonly<Record<Operation, string>> = {
  none: 'nothing',
  'S+A': 'the address of the target, S+A',
  'S+A-P': 'the distance from the place to the target, S+A-P',
  'Page(S+A)-Page(P)': "the distance from the place's page to the target's",
};

/** Below this no kernel address lies, whatever its VA bits. */
const LOWEST_KERNEL_ADDRESS = -(1n << 52n);

function isKernelAddress(value: bigint): boolean {
  const signed = BigInt.asIntN(64, value);
  return signed < 0n && signed >= LOWEST_KERNEL_ADDRESS;
}

/** What val is, and what follows for the place: the kernel prints S+A whatever the operation. */
function describeValue(row: RelocationRow, value: bigint, { nameOf }: ExplainContext): string {
  if (value === 0n) return 'val, the address of the target, is 0: a weak symbol that nobody exports, or one set to 0.';
  const name = nameOf?.(value);
  const address = `val is S+A: the target is at ${formatU64(value)}${name === undefined ? '' : ` (${name})`}`;
  if (!isKernelAddress(value)) return `${address}, which is no kernel address but an absolute symbol.`;
  if (row.pltable) {
    return `${address}, and that may be the PLT entry that was to lead further, itself 128 MiB or more from the branch.`;
  }
  if (row.op === 'S+A' || !row.range) return `${address}.`;
  return `${address}; the place, which the kernel does not print, is ${inUnits(row.range.end)} or more below or above it.`;
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A power of two in its largest unit. */
function inUnits(bytes: number): string {
  const unit = Math.floor(Math.log2(bytes) / 10);
  return `${bytes / 2 ** (10 * unit)} ${UNITS[unit]}`;
}

function overflowMeaning(type: number, value: bigint, context: ExplainContext): string {
  const row = findRelocationRow(type);
  if (!row) {
    return `Type ${type} is none that the arm64 module loader applies: the message is of another architecture, or of live patching.`;
  }
  const { name, op, range } = row;
  const limits = range
    ? `which must be in [${range.low}, ${range.end - 1}]`
    : 'which no kernel known here checks for this type';
  return `A reference in the module cannot hold what it refers to, and the module is refused. It is of type ${name} (${type}) and holds ${OPERATIONS[op]}, ${limits}. ${describeValue(row, value, context)}`;
}

const LARGE_MODEL =
  'compile the module with -mcmodel=large, as the kernel does for itself where distances can be that large';
const NEAR_MODULES = 'or keep modules near: without RANDOMIZE_MODULE_REGION_FULL, or nokaslr on the command line';

function overflowRemedy(type: number, value: bigint): string {
  const row = findRelocationRow(type);
  if (!row) return 'Look where the line comes from.';
  if (value === 0n)
    return 'Find the weak symbol (verify notes them) and load what exports it, or take its address absolutely (-mcmodel=large).';
  if (row.pltable) return 'Build the kernel with ARM64_MODULE_PLTS; a module of more than 128 MiB must be split.';
  if (row.op === 'S+A')
    return 'No address of the kernel fits this field: use one of 64 bits, in code the unchecked MOVW_UABS types up to G3.';
  if (isAdrpRelocation(type)) return `${capital(LARGE_MODEL)}, ${NEAR_MODULES}.`;
  if (type === 261) {
    return `Find what is referred to (--module): a symbol in a section that was not loaded, as .exit.text without CONFIG_MODULE_UNLOAD before 5.13 (and 5.10.118), lies in the temporary copy of the file, far away; a reference to the kernel needs 64 bits (.quad symbol - .), ${NEAR_MODULES}.`;
  }
  return 'The reference is meant for targets in its own section: keep them together, or form the address otherwise.';
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

function unsupportedMeaning(type: number): string {
  const name = `${relocationName(type)} (${type})`;
  if (isAdrpRelocation(type)) {
    return `This kernel is built with CONFIG_ARM64_ERRATUM_843419 and older than 4.17: it takes no ${name} at all, as an ADRP at the end of a page may go wrong on a Cortex-A53. The module was compiled for the small code model, or with GCC's large one, which reaches its literal pools by ADRP.`;
  }
  if (needsGot(type))
    return `${name} refers to a global offset table, and modules have none: the object was compiled as position-independent code.`;
  if (findRelocationRow(type))
    return `${name} is known to every kernel from 4.6 on; this one is older, or of another architecture.`;
  return `${name} is none of the types that the module loader knows, in any version.`;
}

function unsupportedRemedy(type: number): string {
  if (isAdrpRelocation(type))
    return "Compile with -mcmodel=large -mpc-relative-literal-loads, best through the kernel's own build (make -C /lib/modules/.../build M=...), which knows; verify --no-adrp finds what is left.";
  if (needsGot(type))
    return "Compile with -fno-pic and -fno-pie; toolchains and packagers that default to PIE add -fPIC to what is not built by the kernel's Makefile, and libraries linked in may hold it too.";
  return "Compile all objects by the kernel's Makefile: no thread-local storage, no PIC, no linking but ld -r.";
}

function readOverflow(match: RegExpExecArray, context: ExplainContext): Reading {
  const [, module, number, hex] = match as unknown as [string, string | undefined, string, string];
  const type = Number(number);
  const value = BigInt(`0x${hex}`);
  return {
    meaning: overflowMeaning(type, value, context),
    remedy: overflowRemedy(type, value),
    module,
    type,
    value,
    search: { type, value },
    isAboutDistance: true,
  };
}

export const RELOCATION_PATTERNS: readonly Pattern[] = [
  {
    id: 'relocation-overflow',
    keyword: 'overflow in relocation',
    expression: /(?:module (\S{1,64}): )?overflow in relocation type (\d{1,10}) val (?:0x)?([0-9a-f]{1,16})\b/i,
    read: readOverflow,
  },
  {
    id: 'unsupported-relocation',
    keyword: 'unsupported RELA',
    expression: /(?:module (\S{1,64}): )?unsupported RELA relocation: (\d{1,10})\b/,
    read: ([, module, number]) => {
      const type = Number(number);
      return { meaning: unsupportedMeaning(type), remedy: unsupportedRemedy(type), module, type, search: { type } };
    },
  },
  {
    id: 'plt-exhausted',
    keyword: 'module',
    expression:
      /(?:WARNING: .{0,160})?\bmodule_emit_(?:plt_entry|veneer_for_adrp)\b(?:\+0x[0-9a-f]+\/0x[0-9a-f]+)?|WARNING: .{0,120}\bmodule-plts\.c:\d+/,
    read: ([line]) => ({
      meaning: `The module asked for one PLT entry more than the kernel had counted before laying it out${line.includes('veneer') ? ', for an ADRP that erratum 843419 forbids' : ''}: it is refused (Exec format error) behind this warning.`,
      remedy:
        'Known causes: CONFIG_MODULE_UNLOAD off, where exit code is laid out with init but counted with core (fixed in 6.6 and, since, in stable kernels down to 5.10); CONFIG_RANDOMIZE_BASE off up to 6.4, where none are counted at all and the module region is full or the module too large to reach the kernel; a call in a section without the flag x (verify finds it).',
      isAboutDistance: true,
    }),
  },
  {
    id: 'plt-missing',
    keyword: 'section',
    expression: /(?:(\S{1,64}): )?module (PLT section\(s\)|symtab section) missing/,
    read: ([, module]) => ({
      meaning:
        "The kernel has module PLTs (ARM64_MODULE_PLTS), the module has no room for one: it was built for a kernel without, or linked without the kernel's module.lds, or stripped of symbols.",
      remedy:
        'Rebuild the module against the headers and configuration of the running kernel; link with its scripts/module.lds, and strip with --strip-debug only.',
      module,
    }),
  },
];
