import { describe, expect, it } from '@jest/globals';
import { va } from '../../../lib/address.js';
import { BAD_PLACE, OUT_OF_RANGE, UNKNOWN_TYPE } from '../../../lib/reloc/apply.js';
import { relocationError } from '../../../lib/reloc/failure.js';

const site = { section: '.text', offset: 0x1c4, type: 261, symbol: 'foo', S: va(0x800001c4), A: 0n, P: va(0x1c4) };

describe('relocationError', () => {
  it('says what is out of which range, after lld', () => {
    const error = relocationError(OUT_OF_RANGE, site);
    expect(error.code).toBe('OUT_OF_RANGE');
    expect(error.message).toBe(
      "(.text+0x1c4): relocation R_AARCH64_PREL32 out of range: 2147483648 is not in [-2147483648, 2147483647]; references 'foo'",
    );
    expect(error.details).toMatchObject({ section: '.text', offset: 0x1c4, type: 261, value: 0x80000000n });
  });

  it('shows X in full where it is no exact double', () => {
    const error = relocationError(OUT_OF_RANGE, { ...site, type: 258, A: 0x7ffffffffffffffdn, S: va(2) });
    expect(error.message).toContain(': 9223372036854775807 is not in [0, 4294967295];');
  });

  it('gives X of an ADRP in bytes, from page to page', () => {
    const error = relocationError(OUT_OF_RANGE, { ...site, type: 275, S: va(0x100000fff), P: va(0xfff), A: 0x1001n });
    expect(error.message).toContain(': 4294975488 is not in [-4294967296, 4294967295];');
  });

  it('names a type that is refused, and why', () => {
    const error = relocationError(UNKNOWN_TYPE, { ...site, type: 311 });
    expect(error.code).toBe('UNKNOWN_TYPE');
    expect(error.message).toBe(
      "(.text+0x1c4): relocation R_AARCH64_ADR_GOT_PAGE is not supported by Linux (built as position-independent code); references 'foo'",
    );
    expect(relocationError(UNKNOWN_TYPE, { ...site, type: 777 }).message).toContain('relocation unknown (777) is not');
  });

  it('reports a place outside of the section', () => {
    const error = relocationError(BAD_PLACE, { ...site, offset: 0xfffc });
    expect(error.code).toBe('BAD_PLACE');
    expect(error.message).toBe(
      "(.text+0xfffc): relocation R_AARCH64_PREL32 lies outside its section; references 'foo'",
    );
  });
});
