import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KaslrkitError } from '../../../lib/errors.js';
import { loaderRuleOf } from '../../../lib/module/loader-rule.js';
import { parsePlan } from '../../../lib/module/plan.js';
import { codeOf } from '../../support/thrown.js';

const TWO = loaderRuleOf({ major: 6, minor: 1 }).scheme;
const SEVEN = loaderRuleOf({ major: 6, minor: 4 }).scheme;
const PAGE = 4096;
const planOf = (...modules: unknown[]): string => JSON.stringify({ modules });

describe('parsePlan', () => {
  it('gives the addresses of each module in order, dashes in names as underscores', () => {
    const text = planOf(
      {
        name: 'snd-pcm',
        memory: { core: '0xffff800001000000', init: '0xffff800001008000' },
        percpu: '0xffff80000a000010',
      },
      { name: 'xfs', memory: { core: '18446603336237973504' }, percpu: null },
    );
    expect([...parsePlan(text, TWO, PAGE)]).toEqual([
      [
        'snd_pcm',
        {
          memory: new Map([
            ['core', -0x7fff_ff00_0000],
            ['init', -0x7fff_feff_8000],
          ]),
          percpu: -0x7fff_f600_0000 + 0x10,
        },
      ],
      ['xfs', { memory: new Map([['core', -0x7fff_ff00_0000]]) }],
    ]);
  });

  it('knows the regions of the kernel, two up to 6.3 and seven after', () => {
    const regions = ['text', 'data', 'rodata', 'ro_after_init', 'init_text', 'init_data', 'init_rodata'];
    const memory = Object.fromEntries(regions.map((region, i) => [region, String(i * PAGE)]));
    expect([
      ...parsePlan(planOf({ name: 'm', memory }), SEVEN, PAGE)
        .get('m')!
        .memory.keys(),
    ]).toEqual(regions);
    expect(codeOf(() => parsePlan(planOf({ name: 'm', memory }), TWO, PAGE))).toBe('BAD_PLAN');
    expect(codeOf(() => parsePlan(planOf({ name: 'm', memory: { core: '0' } }), SEVEN, PAGE))).toBe('BAD_PLAN');
  });

  it('takes an empty plan, a module without memory and keys it does not know', () => {
    expect(parsePlan('{"modules":[]}', TWO, PAGE).size).toBe(0);
    expect(parsePlan('{"modules":[{"name":"m","memory":{},"version":1}],"host":"a"}', TWO, PAGE).get('m')).toEqual({
      memory: new Map(),
    });
  });

  it('wants addresses on pages, of the kernel’s size, but not per-CPU ones', () => {
    const at = (core: string, pageSize: number) =>
      codeOf(() => parsePlan(planOf({ name: 'm', memory: { core } }), TWO, pageSize));
    expect([at('0x4000', 4096), at('0x4000', 16384), at('0x4000', 65536), at('0x4001', 4096)]).toEqual([
      undefined,
      undefined,
      'BAD_PLAN',
      'BAD_PLAN',
    ]);
    expect(parsePlan(planOf({ name: 'm', memory: {}, percpu: '0x4001' }), TWO, PAGE).get('m')!.percpu).toBe(0x4001);
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{"modules":['],
    ['null', 'null'],
    ['an array', '[]'],
    ['a string', '"modules"'],
    ['no modules', '{}'],
    ['modules that are no array', '{"modules":{}}'],
    ['a module that is null', '{"modules":[null]}'],
    ['a module that is an array', '{"modules":[[]]}'],
    ['a module without a name', '{"modules":[{"memory":{}}]}'],
    ['a name that is a number', '{"modules":[{"name":1,"memory":{}}]}'],
    ['a module without memory', '{"modules":[{"name":"m"}]}'],
    ['memory that is null', '{"modules":[{"name":"m","memory":null}]}'],
    ['memory that is an array', '{"modules":[{"name":"m","memory":["0x1000"]}]}'],
    ['a region there is none of', '{"modules":[{"name":"m","memory":{"text":"0x1000"}}]}'],
    ['a region named like a property of objects', '{"modules":[{"name":"m","memory":{"constructor":"0x1000"}}]}'],
    ['__proto__ as a region', '{"modules":[{"name":"m","memory":{"__proto__":"0x1000"}}]}'],
    ['an address that is a number', '{"modules":[{"name":"m","memory":{"core":4096}}]}'],
    ['an address that is null', '{"modules":[{"name":"m","memory":{"core":null}}]}'],
    ['a per-CPU address that is a number', '{"modules":[{"name":"m","memory":{},"percpu":64}]}'],
    ['a module twice', planOf({ name: 'a-b', memory: {} }, { name: 'a_b', memory: {} })],
  ])('refuses %s', (_, text) => {
    expect(codeOf(() => parsePlan(text, TWO, PAGE))).toBe('BAD_PLAN');
  });

  it.each([
    ['', 'ADDRESS_SYNTAX'],
    ['-4096', 'ADDRESS_SYNTAX'],
    ['ffff800001000000', 'ADDRESS_SYNTAX'],
    ['0x1e3g', 'ADDRESS_SYNTAX'],
    ['4096.0', 'ADDRESS_SYNTAX'],
    ['0x10000000000000000', 'ADDRESS_RANGE'],
    ['0x8000000000000000', 'ADDRESS_RANGE'],
  ])('refuses the address %j', (core, code) => {
    expect(codeOf(() => parsePlan(planOf({ name: 'm', memory: { core } }), TWO, PAGE))).toBe(code);
  });

  it('names the module and the region at fault', () => {
    const parse = () => parsePlan(planOf({ name: 'xfs', memory: { core: '0x1001' } }), TWO, PAGE);
    expect(parse).toThrow('xfs: memory.core 0x1001 is not page aligned');
  });

  it('throws nothing but its own errors, whatever the document', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.jsonValue().map((value) => planOf(value)),
          fc.string(),
        ),
        (text) => {
          try {
            parsePlan(text, SEVEN, PAGE);
          } catch (error) {
            expect(error).toBeInstanceOf(KaslrkitError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
