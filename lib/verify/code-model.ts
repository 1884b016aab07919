/**
 * Which code model a module was compiled for, told by its relocations (AAELF64; "ELF for the Arm 64-bit Architecture", 5.7).
 *
 * GCC's large model keeps addresses in literal pools, other compilers build them by MOVW groups; the small model takes an ADRP
 * and 12 bits; PIC goes through a GOT, which modules have none of. Objects of several models may be linked into one.
 */
import { SHF_EXECINSTR } from '../elf/constant.js';
import type { ModuleFile } from '../module/module-file.js';
import { needsGot } from '../reloc/name.js';
import { isPoolEntry, LiteralPools } from './literal-pool.js';
import { type Reference, referencesOf } from './reference.js';

/** `none`: nothing in the code refers to data. */
export type CodeModel = 'large' | 'small' | 'pic' | 'none';

/** The relocation that ends a group and stands for it: MOVW_UABS_G3 and MOVW_SABS_G2. */
const GROUP_TOPS = [269, 272];
/** LD_PREL_LO19, ADR_PREL_LO21 and both ADRPs: what forms an address from the PC. */
const PC_RELATIVE = [273, 274, 275, 276];

/** Whether the reference forms an address relative to the PC, which LO12 bits only complete. */
export function isPcRelative({ type }: Reference): boolean {
  return PC_RELATIVE.includes(type);
}

/**
 * `pic` as soon as there is a GOT reference; otherwise the model that most references from code follow, `large` if as many.
 * @throws as `referencesOf`
 */
export function codeModelOf(file: ModuleFile): CodeModel {
  const references = [...referencesOf(file)];
  return codeModel(references, new LiteralPools(file.symbols, references));
}

/** `codeModelOf` for references already at hand. */
export function codeModel(references: readonly Reference[], pools: LiteralPools): CodeModel {
  let absolute = 0;
  let relative = 0;
  for (const reference of references) {
    if (needsGot(reference.type)) return 'pic';
    if (reference.target === 'absolute' || !(reference.section.sh_flags & SHF_EXECINSTR)) continue;
    if (isPoolEntry(reference) || GROUP_TOPS.includes(reference.type)) absolute++;
    else if (isPcRelative(reference) && !isToPool(reference, pools)) relative++;
  }
  if (absolute + relative === 0) return 'none';
  return absolute >= relative ? 'large' : 'small';
}

/** Whether the target is a literal pool of the section that refers to it. */
export function isToPool({ target, section, value }: Reference, pools: LiteralPools): boolean {
  return target === 'same-section' && pools.has(section.index, Number(value));
}
