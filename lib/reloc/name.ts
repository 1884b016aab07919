/**
 * Names of relocation types for messages: the rows of the table, and the types of AAELF64 that turn up in object files
 * although no kernel accepts them in a module (built PIC, with TLS, or linked).
 */
import { findRelocationRow } from './table.js';

const REFUSED: ReadonlyMap<number, string> = new Map([
  [300, 'R_AARCH64_MOVW_GOTOFF_G0'],
  [301, 'R_AARCH64_MOVW_GOTOFF_G0_NC'],
  [302, 'R_AARCH64_MOVW_GOTOFF_G1'],
  [303, 'R_AARCH64_MOVW_GOTOFF_G1_NC'],
  [304, 'R_AARCH64_MOVW_GOTOFF_G2'],
  [305, 'R_AARCH64_MOVW_GOTOFF_G2_NC'],
  [306, 'R_AARCH64_MOVW_GOTOFF_G3'],
  [307, 'R_AARCH64_GOTREL64'],
  [308, 'R_AARCH64_GOTREL32'],
  [309, 'R_AARCH64_GOT_LD_PREL19'],
  [310, 'R_AARCH64_LD64_GOTOFF_LO15'],
  [311, 'R_AARCH64_ADR_GOT_PAGE'],
  [312, 'R_AARCH64_LD64_GOT_LO12_NC'],
  [313, 'R_AARCH64_LD64_GOTPAGE_LO15'],
  [314, 'R_AARCH64_PLT32'],
  [315, 'R_AARCH64_GOTPCREL32'],
  [513, 'R_AARCH64_TLSGD_ADR_PAGE21'],
  [514, 'R_AARCH64_TLSGD_ADD_LO12_NC'],
  [541, 'R_AARCH64_TLSIE_ADR_GOTTPREL_PAGE21'],
  [542, 'R_AARCH64_TLSIE_LD64_GOTTPREL_LO12_NC'],
  [549, 'R_AARCH64_TLSLE_ADD_TPREL_HI12'],
  [550, 'R_AARCH64_TLSLE_ADD_TPREL_LO12'],
  [551, 'R_AARCH64_TLSLE_ADD_TPREL_LO12_NC'],
  [562, 'R_AARCH64_TLSDESC_ADR_PAGE21'],
  [563, 'R_AARCH64_TLSDESC_LD64_LO12'],
  [564, 'R_AARCH64_TLSDESC_ADD_LO12'],
  [569, 'R_AARCH64_TLSDESC_CALL'],
  [1024, 'R_AARCH64_COPY'],
  [1025, 'R_AARCH64_GLOB_DAT'],
  [1026, 'R_AARCH64_JUMP_SLOT'],
  [1027, 'R_AARCH64_RELATIVE'],
]);

/** The ABI's name of an ELF64_R_TYPE, or `unknown (N)`. */
export function relocationName(type: number): string {
  return findRelocationRow(type)?.name ?? REFUSED.get(type) ?? `unknown (${type})`;
}

/** Whether the type addresses a global offset table: the object was compiled as position-independent code. */
export function needsGot(type: number): boolean {
  return type >= 300 && type <= 315 && type !== 314;
}
