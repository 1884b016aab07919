/**
 * Findings as SARIF 2.1.0 (OASIS Static Analysis Results Interchange Format), which code scanners take in.
 *
 * Modules are no text: a result's place is a logical location, `section+offset` in a function. Viewers that need a line get line 1, and a
 * fingerprint of their own, as all results of a file would be one otherwise.
 */
import { RULES } from './rule.js';
import type { Finding, VerifiedModule } from './verify.js';

/** A module and the path it was read from. */
export interface VerifiedFile {
  readonly file: string;
  readonly module: VerifiedModule;
}

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

const RULE_LIST = Object.values(RULES);

/** The log, ready to be written as JSON; `version` is kaslrkit's. */
export function sarifLog(files: readonly VerifiedFile[], version: string): object {
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'kaslrkit', semanticVersion: version, rules: RULE_LIST.map(ruleOf) } },
        artifacts: files.map(({ file }) => ({ location: { uri: uriOf(file) } })),
        results: files.flatMap(({ file, module }, index) =>
          module.findings.map((finding) => resultOf(finding, { uri: uriOf(file), index })),
        ),
        columnKind: 'utf16CodeUnits',
      },
    ],
  };
}

function ruleOf({ id, why, kernels, remedy }: (typeof RULE_LIST)[number]): object {
  return {
    id,
    shortDescription: { text: `The relocation ${why}.` },
    fullDescription: { text: `The relocation ${why}. Kernels that refuse it: ${kernels}.` },
    help: { text: `${remedy}.` },
    properties: { kernels },
  };
}

function resultOf(finding: Finding, artifactLocation: { readonly uri: string; readonly index: number }): object {
  const { id } = RULES[finding.rule];
  const place = `${finding.section}+0x${finding.offset.toString(16)}`;
  return {
    ruleId: id,
    ruleIndex: RULE_LIST.findIndex((rule) => rule.id === id),
    level: finding.severity,
    message: { text: `${place}: ${finding.message}` },
    locations: [
      {
        physicalLocation: { artifactLocation, region: { startLine: 1 } },
        logicalLocations: [
          finding.function === undefined
            ? { name: place, fullyQualifiedName: place, kind: 'member' }
            : { name: finding.function, fullyQualifiedName: `${finding.function} (${place})`, kind: 'function' },
        ],
      },
    ],
    partialFingerprints: { primaryLocationLineHash: `${id}:${place}:${finding.symbol}` },
  };
}

/** A relative reference stays one, as scanners match it with their checkout. */
function uriOf(file: string): string {
  const path = file.split('/').map(encodeURIComponent).join('/');
  return path.startsWith('/') ? `file://${path}` : path;
}
