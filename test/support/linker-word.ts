/**
 * Relocated words as GNU ld 2.40 and lld 14 both wrote them: one `.reloc` each at P, the symbol defined on the command line.
 * Only values on which the ABI and Linux agree.
 */
export interface LinkerWord {
  readonly name: string;
  readonly before: number;
  /** S + A. */
  readonly sum: bigint;
  readonly P: number;
  readonly after: number;
}

const word = (name: string, before: number, sum: bigint, P: number, after: number): LinkerWord => ({
  name: `R_AARCH64_${name}`,
  before,
  sum,
  P,
  after,
});

export const LINKER_WORDS: readonly LinkerWord[] = [
  word('MOVW_UABS_G0', 0xd2800001, 0xfffen, 0x10010, 0xd29fffc1),
  word('MOVW_UABS_G0_NC', 0xf2800001, 0x123456789abcdef0n, 0x10010, 0xf29bde01),
  word('MOVW_UABS_G1', 0xd2a00002, 0xfffe1234n, 0x10010, 0xd2bfffc2),
  word('MOVW_UABS_G1_NC', 0xf2a00002, 0x123456789abcdef0n, 0x10010, 0xf2b35782),
  word('MOVW_UABS_G2', 0xd2c00003, 0xfffe12345678n, 0x10010, 0xd2dfffc3),
  word('MOVW_UABS_G2_NC', 0xf2c00003, 0x123456789abcdef0n, 0x10010, 0xf2cacf03),
  word('MOVW_UABS_G3', 0xd2e00004, 0xfffe123456789abcn, 0x10010, 0xd2ffffc4),
  word('MOVW_SABS_G0', 0xd2800005, 0x1234n, 0x10010, 0xd2824685),
  word('MOVW_SABS_G0', 0xd2800005, 0xffffffffffffedcbn, 0x10010, 0x92824685),
  word('MOVW_PREL_G0', 0xd2800006, 0x20001244n, 0x20000010, 0xd2824686),
  word('MOVW_PREL_G0', 0xd2800006, 0x1fffeddbn, 0x20000010, 0x92824686),
  word('MOVW_SABS_G1', 0xd2a00005, 0x12345678n, 0x10010, 0xd2a24685),
  word('MOVW_SABS_G1', 0xd2a00005, 0xffffffffedcba987n, 0x10010, 0x92a24685),
  word('MOVW_PREL_G1', 0xd2a00006, 0x32345688n, 0x20000010, 0xd2a24686),
  word('MOVW_PREL_G1', 0xd2a00006, 0xdcba997n, 0x20000010, 0x92a24686),
  word('MOVW_SABS_G2', 0xd2c00005, 0x123456789abcn, 0x10010, 0xd2c24685),
  word('MOVW_SABS_G2', 0xd2c00005, 0xffffedcba9876543n, 0x10010, 0x92c24685),
  word('MOVW_PREL_G2', 0xd2c00006, 0x123476789accn, 0x20000010, 0xd2c24686),
  word('MOVW_PREL_G2', 0xd2c00006, 0xffffedcbc9876553n, 0x20000010, 0x92c24686),
  word('MOVW_SABS_G0', 0x92800005, 0x1234n, 0x10010, 0xd2824685),
  word('MOVW_SABS_G0', 0x92800005, 0xffffffffffffedcbn, 0x10010, 0x92824685),
  word('MOVW_PREL_G0', 0x92800006, 0x20001244n, 0x20000010, 0xd2824686),
  word('MOVW_PREL_G0', 0x92800006, 0x1fffeddbn, 0x20000010, 0x92824686),
  word('MOVW_SABS_G1', 0x92a00005, 0x12345678n, 0x10010, 0xd2a24685),
  word('MOVW_SABS_G1', 0x92a00005, 0xffffffffedcba987n, 0x10010, 0x92a24685),
  word('MOVW_PREL_G1', 0x92a00006, 0x32345688n, 0x20000010, 0xd2a24686),
  word('MOVW_PREL_G1', 0x92a00006, 0xdcba997n, 0x20000010, 0x92a24686),
  word('MOVW_SABS_G2', 0x92c00005, 0x123456789abcn, 0x10010, 0xd2c24685),
  word('MOVW_SABS_G2', 0x92c00005, 0xffffedcba9876543n, 0x10010, 0x92c24685),
  word('MOVW_PREL_G2', 0x92c00006, 0x123476789accn, 0x20000010, 0xd2c24686),
  word('MOVW_PREL_G2', 0x92c00006, 0xffffedcbc9876553n, 0x20000010, 0x92c24686),
  word('MOVW_PREL_G0_NC', 0xf2800007, 0x123458789abddn, 0x20000010, 0xf29579a7),
  word('MOVW_PREL_G1_NC', 0xf2a00007, 0x123458789abddn, 0x20000010, 0xf2acf127),
  word('MOVW_PREL_G2_NC', 0xf2c00007, 0x123458789abddn, 0x20000010, 0xf2c468a7),
  word('MOVW_PREL_G3', 0xd2e00007, 0x12345678babcd010n, 0x20000010, 0xd2e24687),
  word('LD_PREL_LO19', 0x58000008, 0x2010000cn, 0x20000010, 0x587fffe8),
  word('LD_PREL_LO19', 0x58000008, 0x1ff00010n, 0x20000010, 0x58800008),
  word('ADR_PREL_LO21', 0x10000009, 0x2010000fn, 0x20000010, 0x707fffe9),
  word('ADR_PREL_LO21', 0x10000009, 0x1ff00010n, 0x20000010, 0x10800009),
  word('ADR_PREL_LO21', 0x10000009, 0x20000015n, 0x20000010, 0x30000029),
  word('ADR_PREL_PG_HI21', 0x9000000a, 0x12345678n, 0x10010, 0xb00919aa),
  word('ADR_PREL_PG_HI21_NC', 0x9000000a, 0x12345678n, 0x10010, 0xb00919aa),
  word('ADD_ABS_LO12_NC', 0x9100016b, 0x12345fedn, 0x10010, 0x913fb56b),
  word('LDST8_ABS_LO12_NC', 0x3940018c, 0x12345fedn, 0x10010, 0x397fb58c),
  word('LDST16_ABS_LO12_NC', 0x7940018c, 0x12345fecn, 0x10010, 0x795fd98c),
  word('LDST32_ABS_LO12_NC', 0xb940018c, 0x12345fecn, 0x10010, 0xb94fed8c),
  word('LDST64_ABS_LO12_NC', 0xf940018c, 0x12345fe8n, 0x10010, 0xf947f58c),
  word('LDST128_ABS_LO12_NC', 0x3dc0018c, 0x12345fe0n, 0x10010, 0x3dc3f98c),
  word('TSTBR14', 0x36000001, 0x2000800cn, 0x20000010, 0x3603ffe1),
  word('TSTBR14', 0x36000001, 0x1fff8010n, 0x20000010, 0x36040001),
  word('CONDBR19', 0x54000000, 0x2010000cn, 0x20000010, 0x547fffe0),
  word('CONDBR19', 0x54000000, 0x1ff00010n, 0x20000010, 0x54800000),
  word('JUMP26', 0x14000000, 0x2800000cn, 0x20000010, 0x15ffffff),
  word('JUMP26', 0x14000000, 0x18000010n, 0x20000010, 0x16000000),
  word('CALL26', 0x94000000, 0x20001244n, 0x20000010, 0x9400048d),
  word('CALL26', 0x94000000, 0x2000000cn, 0x20000010, 0x97ffffff),
  word('ABS32', 0xffffffff, 0x12345678n, 0x10010, 0x12345678),
  word('PREL32', 0xffffffff, 0xdcba998n, 0x20000010, 0xedcba988),
  word('ABS16', 0xffffffff, 0x1234n, 0x10010, 0xffff1234),
  word('PREL16', 0xffffffff, 0x1fffeddcn, 0x20000010, 0xffffedcc),
];
