/** The built command line as a child process, as users and scripts run it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from '@jest/globals';
import { schemaOf, schemaViolations } from './schema.js';

/** `npm test` builds it first. */
export const MAIN = new URL('../../dist/cli/main.js', import.meta.url).pathname;

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function run(
  args: readonly string[],
  options: { readonly input?: Uint8Array; readonly cwd?: string } = {},
): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    ...options,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  });
  return { status, stdout, stderr };
}

/** The one JSON document of a run that ends well and says nothing on stderr; it follows its schema in docs/schema. */
export function runJson<T = unknown>(...args: string[]): T {
  const { status, stdout, stderr } = run([...args, '--json']);
  expect([status, stderr]).toEqual([0, '']);
  const document: unknown = JSON.parse(stdout);
  expect(schemaViolations(schemaOf(args[0]!), document)).toEqual([]);
  return document as T;
}

/** Runs what must be refused: exit 2, nothing on stdout, one line on stderr and no stack. Returns that line. */
export function runRefused(args: readonly string[], options: { readonly input?: Uint8Array } = {}): string {
  const { status, stdout, stderr } = run(args, options);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^kaslrkit: [^\n]+\n$/);
  return stderr.slice('kaslrkit: '.length, -1);
}

/** A folder for the files of one test file, gone when it is done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kaslrkit-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
