/**
 * What `verify` can find, as data: why it matters, which kernels refuse it and what removes it. A finding points to its rule.
 *
 * Versions are those in which the range of module addresses changed: all of vmalloc space to 4.16, a window of 4 GiB around the image
 * from 4.17, of 2 GiB from 5.3.
 * @see Linux arch/arm64/kernel/module.c, apply_relocate_add(); kaslr.c and mm/init.c for where modules go
 */

export type FindingKind = 'external' | 'local' | 'literal-pool' | 'got' | 'range';

export interface Rule {
  readonly id: string;
  /** Undefined: `external` or `local`, by the target. */
  readonly kind: FindingKind | undefined;
  /** Completes `R_AARCH64_X (n) to 'symbol' ...`. */
  readonly why: string;
  readonly kernels: string;
  readonly remedy: string;
}

const ERRATUM = 'those before 4.17 with CONFIG_ARM64_ERRATUM_843419, which take no ADRP (275, 276) whatever its target';
const WHOLE_VMALLOC = '4.6 to 4.16 with CONFIG_RANDOMIZE_MODULE_REGION_FULL, where the module lands further away';

export const RULES = {
  got: {
    id: 'got',
    kind: 'got',
    why: 'goes through a global offset table, which modules have none of: built as position-independent code',
    kernels: 'every one',
    remedy: 'compile with -fno-pic (and -fno-pie)',
  },
  unsupportedType: {
    id: 'unsupported-type',
    kind: undefined,
    why: 'is of a type that the module loader does not know',
    kernels: 'every one',
    remedy: 'compile for the kernel: -fno-pic, no thread-local storage, and link with -r only',
  },
  externalPage: {
    id: 'external-page',
    kind: 'external',
    why: 'leaves the module and reaches no further than 4 GiB',
    kernels: `${WHOLE_VMALLOC}; ${ERRATUM}`,
    remedy: 'compile this object with -mcmodel=large',
  },
  externalPrel32: {
    id: 'external-prel32',
    kind: 'external',
    why: 'leaves the module and reaches no further than 2 GiB',
    kernels: `${WHOLE_VMALLOC}; 4.17 to 5.2, whose modules lie within 4 GiB of the image`,
    remedy: 'make the reference 64 bits wide: .quad symbol - . (R_AARCH64_PREL64) or .quad symbol (R_AARCH64_ABS64)',
  },
  externalShort: {
    id: 'external-short',
    kind: 'external',
    why: 'leaves the module with an offset of a megabyte at most',
    kernels: 'every one: none keeps modules that near to what they refer to',
    remedy: 'call by BL or B, which get a PLT entry; load the address with -mcmodel=large',
  },
  weakTarget: {
    id: 'weak-target',
    kind: 'external',
    why: 'is weak: if nobody exports the symbol it is 0, which no relative reference reaches',
    kernels: 'those that do not export the symbol',
    remedy: 'refer to it by 64 absolute bits: compile this object with -mcmodel=large',
  },
  literalPool: {
    id: 'literal-pool',
    kind: 'literal-pool',
    why: "stays in the section: its own literal pool, as GCC's large model reaches it",
    kernels: ERRATUM,
    remedy: 'compile with -mpc-relative-literal-loads (GCC), which reaches pools without ADRP',
  },
  localReference: {
    id: 'local-reference',
    kind: 'local',
    why: 'stays in the module, whose parts lie within 4 GiB of each other',
    kernels: ERRATUM,
    remedy: 'compile this object with -mcmodel=large',
  },
  shortReach: {
    id: 'short-reach',
    kind: 'range',
    why: 'leads to another section, which may lie further away than the megabyte at most that it reaches',
    kernels:
      'those from 6.4 on, which allocate text, data and init parts one by one; earlier ones for large modules and init sections',
    remedy: 'keep both in one section, or form the address with -mcmodel=large',
  },
  outOfRange: {
    id: 'out-of-range',
    kind: 'range',
    why: 'does not fit: its value is the same wherever the module lands',
    kernels: 'every one',
    remedy: 'split the section, or use a reference that reaches further',
  },
  narrowAbsolute: {
    id: 'narrow-absolute',
    kind: 'range',
    why: 'cannot hold the address of anything in the kernel, which has 64 significant bits',
    kernels: 'every one',
    remedy: 'store 64 bits, or a distance (.long symbol - .)',
  },
  branchWithoutPlt: {
    id: 'branch-without-plt',
    kind: 'range',
    why: 'is a branch in a section that is not executable, for which no PLT entry is reserved',
    kernels: 'every one from 4.6 on, if its target is further away than 128 MiB',
    remedy: 'give the section the flags "ax"',
  },
  brokenGroup: {
    id: 'broken-group',
    kind: 'range',
    why: 'belongs to a MOVW group that builds no whole address',
    kernels: 'none refuses it; the address is wrong',
    remedy: 'let all four instructions name the same symbol and addend: abs_g0_nc, abs_g1_nc, abs_g2_nc, abs_g3',
  },
  window: {
    id: 'window',
    kind: 'range',
    why: 'is what reaches least: the module is safe within 2 GiB of what it refers to',
    kernels: `${WHOLE_VMALLOC}; 4.17 to 5.2, whose modules lie within 4 GiB of the image`,
    remedy: 'none needed from 5.3 on',
  },
} as const satisfies Record<string, Rule>;

export type RuleName = keyof typeof RULES;
