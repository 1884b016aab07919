/** The JSON Schemas of docs/schema: what the documents that commands print are held against. */
import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

const FOLDER = new URL('../../docs/schema/', import.meta.url);
const SUFFIX = '.schema.json';

const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true, allowUnionTypes: true });
const compiled = new Map<string, ValidateFunction>();

/** Commands that print the documents of another. */
const SHARED: Readonly<Record<string, string>> = { merge: 'sweep' };

/** The schema of what a command prints. */
export const schemaOf = (command: string): string => SHARED[command] ?? command;

/** One for each kind of document that commands print, and `plan` for what `load --at` reads. */
export function schemaNames(): string[] {
  return readdirSync(FOLDER).map((file) => file.slice(0, -SUFFIX.length));
}

export function readSchema(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(`${name}${SUFFIX}`, FOLDER), 'utf8')) as Record<string, unknown>;
}

/** What in a document its schema does not allow, as `/modules/0/name must be string`; nothing if all is well. */
export function schemaViolations(name: string, document: unknown): string[] {
  const validate = compiled.get(name) ?? ajv.compile(readSchema(name));
  compiled.set(name, validate);
  if (validate(document)) return [];
  return validate.errors!.map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}
