/**
 * The schemas themselves, and real documents of each. `runJson` holds every document that any test reads against its schema
 * too; what is here has options and kernels that make the documents differ in shape.
 */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { run } from '../support/cli.js';
import { samplePath } from '../support/sample.js';
import { readSchema, schemaNames, schemaViolations } from '../support/schema.js';

const SEED = ['--seed', '0xfedcba9876543210'];
const [old, vmlinux, image] = ['4.6/Image', '6.12/vmlinux', '6.1/Image'].map(samplePath) as [string, string, string];
const modules = (version: string, ...names: string[]) => names.map((name) => samplePath(`${version}/${name}.ko`));
const MAP = ['map', vmlinux, ...SEED, '--phys', '0x40200000'];
const SWEEP = ['sweep', '--kernel', image, '--modules', ...modules('6.1', 'many_calls', 'exporter', 'importer')];

/** Command lines without `--json`, and the exit code where it is not 0. */
const RUNS: readonly (readonly [readonly string[], number?])[] = [
  [['inspect', old, vmlinux, image, ...modules('6.1', 'large', 'pic', 'init_only', 'percpu')]],
  [['symbols', image]],
  [['place', old, ...SEED]],
  [['place', vmlinux, '--text', '0xffffde3841e00000']],
  [['relocate', image, ...SEED]],
  [['load', ...modules('6.1', 'exporter', 'importer', 'percpu', 'init_only'), '--kernel', image, ...SEED]],
  [
    [
      'load',
      ...modules('6.12', 'exporter', 'erratum'),
      '--kernel',
      vmlinux,
      ...SEED,
      '--erratum-843419',
      '--keep-init',
    ],
  ],
  [['verify', ...modules('6.12', 'large_movw', 'many_calls', 'percpu')]],
  [['verify', ...modules('6.1', 'mixed', 'pic', 'every_relocation')], 1],
  [[...SWEEP]],
  [[...SWEEP, '--shard', '2/3']],
  [[...SWEEP, '--seeds', '5']],
  [[...SWEEP, '--seeds', '5', '--shard', '1/2']],
  [MAP],
  [[...MAP, '--stage', 'early']],
  [[...MAP, '--transition', '--memory', '0x40000000-0x80000000']],
  [['locate', image, '--symbol', '_stext=0xffffa00008001000']],
  [['locate', old, '--symbol', '_stext=0xffff000008081000']],
  [['entropy', old]],
  [['entropy', vmlinux, '--va-bits', '52']],
];

const documents: { readonly name: string; readonly line: string; readonly document: unknown }[] = [];
beforeAll(() => {
  for (const [args, code = 0] of RUNS) {
    const { status, stdout, stderr } = run([...args, '--json']);
    expect([status, stderr]).toEqual([code, '']);
    documents.push({ name: args[0]!, line: args.join(' '), document: JSON.parse(stdout) });
  }
});

/** Every object in a document, those in arrays included. */
function* objectsOf(value: unknown): Generator<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const inner of Object.values(value)) yield* objectsOf(inner);
}

describe.each(schemaNames())('the schema of %s', (name) => {
  it('is one of draft 2020-12, by a name of its own', () => {
    expect(readSchema(name)).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: `urn:kaslrkit:schema:1:${name}`,
      title: expect.any(String),
    });
    expect(() => schemaViolations(name, null)).not.toThrow();
  });
});

describe('a document', () => {
  it('follows its schema', () => {
    for (const { name, line, document } of documents)
      expect([line, schemaViolations(name, document)]).toEqual([line, []]);
  });

  it('with a field that the schema does not know is refused, wherever it is', () => {
    for (const { name, line, document } of documents) {
      // The first of each shape: a kernel has thousands of symbols.
      const shapes = new Set<string>();
      for (const object of objectsOf(document)) {
        const shape = Object.keys(object).join();
        if (shapes.has(shape)) continue;
        shapes.add(shape);
        object.unknown = 'x';
        expect([line, shape, schemaViolations(name, document).length > 0]).toEqual([line, shape, true]);
        delete object.unknown;
      }
    }
  });

  it('with a 64-bit value as a number is refused', () => {
    for (const { name, line, document } of documents) {
      const shapes = new Set<string>();
      for (const object of objectsOf(document)) {
        for (const [field, value] of Object.entries(object)) {
          if (typeof value !== 'string' || !/^0x[0-9a-f]{16}$/.test(value) || shapes.has(field)) continue;
          shapes.add(field);
          object[field] = Number(value);
          expect([line, field, schemaViolations(name, document).length > 0]).toEqual([line, field, true]);
          object[field] = value;
        }
      }
    }
  });
});
