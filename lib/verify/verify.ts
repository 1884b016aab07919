/**
 * Proves a module's references safe wherever it is loaded, or within which distance, and names those that are not.
 *
 * The large code model promises that data outside the section is referred to absolutely; the small one that 4 GiB, and for 32-bit data
 * 2 GiB, are enough. Relocations alone decide: each either cannot go out of range, or is a finding.
 */
import type { ModuleFile } from '../module/module-file.js';
import { relocationName } from '../reloc/name.js';
import { type CodeModel, codeModel } from './code-model.js';
import { FunctionIndex } from './function-index.js';
import { judge, leavesModule, type Severity, type Verdict } from './judge.js';
import { PAGE_REACH, PREL32_REACH, reachOf } from './limit.js';
import { LiteralPools } from './literal-pool.js';
import { brokenGroups } from './movw-group.js';
import { type Reference, referencesOf, symbolName } from './reference.js';
import { type FindingKind, RULES, type RuleName } from './rule.js';
import { builtForVersion } from './vermagic.js';

export interface Finding {
  readonly severity: Severity;
  readonly kind: FindingKind;
  readonly rule: RuleName;
  readonly section: string;
  readonly offset: number;
  readonly function: string | undefined;
  readonly type: number;
  readonly symbol: string;
  readonly addend: bigint;
  readonly message: string;
}

export interface VerifyOptions {
  /** Which promises to check; default: those of the model the module follows. */
  readonly model?: 'large' | 'small' | undefined;
  /** False for kernels that refuse every ADRP relocation. */
  readonly allowAdrp: boolean;
}

export interface VerifiedModule {
  readonly name: string;
  /** As asked for, or as detected; a module without references to data counts as small. */
  readonly model: Exclude<CodeModel, 'none'>;
  /** The distance in bytes within which all that the module refers to must lie; infinite if it may lie anywhere. */
  readonly window: number;
  /** In order of section and offset. */
  readonly findings: readonly Finding[];
}

interface Found extends Verdict {
  readonly reference: Reference;
  /** Follows the rule's reason. */
  readonly detail?: string;
}

/**
 * Checks every relocation of every section that is loaded. Does not check that symbols exist or instructions fit their types.
 * @throws as `referencesOf`
 */
export function verifyModule(file: ModuleFile, { model: asked, allowAdrp }: VerifyOptions): VerifiedModule {
  const references = [...referencesOf(file)];
  const pools = new LiteralPools(file.symbols, references);
  const detected = asked ?? codeModel(references, pools);
  const model = detected === 'none' ? 'small' : detected;
  const isLarge = model === 'large';
  const functions = new FunctionIndex(file.symbols);
  const functionOf = ({ section, offset }: Reference) => functions.at(section.index, offset);

  const found: Found[] = references.flatMap((reference) => {
    const verdict = judge(reference, { isLarge, allowAdrp, pools });
    return verdict ? [{ ...verdict, reference }] : [];
  });
  if (isLarge) {
    for (const { reference, detail } of brokenGroups(references, (section) => functions.in(section))) {
      found.push({ rule: 'brokenGroup', severity: 'error', reference, detail });
    }
  }
  const nearest = nearestLimit(references);
  const reach = nearest ? reachOf(nearest.row!) : Number.POSITIVE_INFINITY;
  if (!isLarge && nearest && reach === PREL32_REACH) {
    found.push({ rule: 'window', severity: 'note', reference: nearest });
  }
  found.sort(
    (a, b) => a.reference.section.index - b.reference.section.index || a.reference.offset - b.reference.offset,
  );
  return {
    name: file.name,
    model,
    window: Math.min(reach, branchReach(file, references)),
    findings: found.map((one) => findingOf(file, one, functionOf(one.reference))),
  };
}

function findingOf(file: ModuleFile, { reference, rule, severity, detail }: Found, name: string | undefined): Finding {
  const { section, offset, type, symbol, addend } = reference;
  return {
    severity,
    kind: RULES[rule].kind ?? (leavesModule(reference) ? 'external' : 'local'),
    rule,
    section: section.name,
    offset,
    function: name,
    type,
    symbol: symbolName(file, symbol),
    addend,
    message: `${describe(file, reference)} ${RULES[rule].why}${detail ?? ''}`,
  };
}

/** `R_AARCH64_CALL26 (283) to 'foo+0x8'` */
function describe(file: ModuleFile, { type, symbol, addend }: Reference): string {
  const distance = addend === 0n ? '' : addend < 0n ? `-0x${(-addend).toString(16)}` : `+0x${addend.toString(16)}`;
  return `${relocationName(type)} (${type}) to '${symbolName(file, symbol)}${distance}'`;
}

/** The first of the references that leave the module and reach least; undefined if all reach any distance. */
function nearestLimit(references: readonly Reference[]): Reference | undefined {
  let nearest: Reference | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const reference of references) {
    if (!reference.row || !leavesModule(reference) || reachOf(reference.row) >= least) continue;
    nearest = reference;
    least = reachOf(reference.row);
  }
  return nearest;
}

/** What PLT entries reach, if any branch leaves the module: before 5.0 they held absolute addresses, since then an ADRP. */
function branchReach(file: ModuleFile, references: readonly Reference[]): number {
  const isAbsolute = (builtForVersion(file)?.major ?? 5) < 5;
  const isUsed = references.some((reference) => reference.row?.pltable && leavesModule(reference));
  return isUsed && !isAbsolute ? PAGE_REACH : Number.POSITIVE_INFINITY;
}
