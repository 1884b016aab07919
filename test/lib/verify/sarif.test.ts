import { describe, expect, it } from '@jest/globals';
import { openModule } from '../../../lib/module/module-file.js';
import { RULES } from '../../../lib/verify/rule.js';
import { sarifLog } from '../../../lib/verify/sarif.js';
import { verifyModule } from '../../../lib/verify/verify.js';
import { readSample } from '../../support/sample.js';

interface Result {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string; readonly index: number };
      readonly region: { readonly startLine: number };
    };
    readonly logicalLocations: readonly { readonly name: string }[];
  }[];
  readonly partialFingerprints: { readonly primaryLocationLineHash: string };
}

interface Log {
  readonly version: string;
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly name: string; readonly rules: readonly { readonly id: string }[] } };
    readonly artifacts: readonly { readonly location: { readonly uri: string } }[];
    readonly results: readonly Result[];
  }[];
}

function logOf(...files: readonly string[]): Log['runs'][number] & Pick<Log, 'version'> {
  const verified = files.map((file) => ({
    file,
    module: verifyModule(openModule(readSample(`6.1/${file.split('/').at(-1)}`), 'sample'), { allowAdrp: true }),
  }));
  const { version, runs } = JSON.parse(JSON.stringify(sarifLog(verified, '1.2.3'))) as Log;
  expect(runs).toHaveLength(1);
  return { version, ...runs[0]! };
}

describe('sarifLog', () => {
  it('has one result for each finding, with the rule it names', () => {
    const { version, tool, results } = logOf('mixed.ko');
    expect(version).toBe('2.1.0');
    expect(tool.driver).toMatchObject({ name: 'kaslrkit', semanticVersion: '1.2.3' });
    expect(results).toHaveLength(37);
    for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex]!.id).toBe(ruleId);
    expect(results.filter(({ level }) => level === 'error')).toHaveLength(3);
    expect(results.filter(({ level }) => level === 'note')).toHaveLength(34);
  });

  it('places a result in its file and function, and tells results of one file apart', () => {
    const { artifacts, results } = logOf('mixed.ko', 'pic.ko');
    const result = results.find(({ message }) => message.text.includes('sample_ticks'))!;
    expect(result.locations[0]!.physicalLocation.artifactLocation).toEqual({ uri: 'mixed.ko', index: 0 });
    expect(result.locations[0]!.logicalLocations[0]!.name).toBe('small_part');
    expect(artifacts.map(({ location }) => location.uri)).toEqual(['mixed.ko', 'pic.ko']);
    const own = results.filter(({ locations }) => locations[0]!.physicalLocation.artifactLocation.index === 0);
    expect(new Set(own.map(({ partialFingerprints }) => partialFingerprints.primaryLocationLineHash)).size).toBe(37);
  });

  it('gives every result what SARIF 2.1.0 and code scanners demand: level, message, one location in a listed artifact', () => {
    const { artifacts, results } = logOf('mixed.ko', 'large_movw.ko', 'pic.ko');
    for (const { level, message, locations } of results) {
      expect(['error', 'note']).toContain(level);
      expect(message.text).toMatch(/^\.\S+\+0x[0-9a-f]+: R_AARCH64_\w+ \(\d+\) to '/);
      expect(locations).toHaveLength(1);
      const { artifactLocation, region } = locations[0]!.physicalLocation;
      expect(artifacts[artifactLocation.index]!.location.uri).toBe(artifactLocation.uri);
      expect(region.startLine).toBe(1);
    }
  });

  it('writes paths as URIs, relative ones relative', () => {
    const { artifacts } = logOf('/lib/a b/mixed.ko', 'out dir/50%/mixed.ko');
    expect(artifacts.map(({ location }) => location.uri)).toEqual([
      'file:///lib/a%20b/mixed.ko',
      'out%20dir/50%25/mixed.ko',
    ]);
  });

  it('lists every rule once, and all of each rule', () => {
    const { tool } = logOf('large_movw.ko');
    expect(new Set(tool.driver.rules.map(({ id }) => id)).size).toBe(Object.keys(RULES).length);
    for (const rule of tool.driver.rules) {
      expect(rule).toMatchObject({
        shortDescription: { text: expect.any(String) },
        help: { text: expect.any(String) },
      });
    }
  });
});
