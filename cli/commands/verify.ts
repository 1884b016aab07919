import { createRequire } from 'node:module';
import { sep } from 'node:path';
import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { formatU64 } from '../../lib/address.js';
import { relocationName } from '../../lib/reloc/name.js';
import { RULES } from '../../lib/verify/rule.js';
import { sarifLog, type VerifiedFile } from '../../lib/verify/sarif.js';
import { type Finding, type VerifiedModule, verifyModule } from '../../lib/verify/verify.js';
import { readModule } from '../module-files.js';
import { colorsOf } from '../output/color.js';
import { aboutFile } from '../output/error.js';
import { formatCount, formatSize, printable, printJson } from '../output/print.js';

const OPTIONS = {
  model: { choices: ['large', 'small'], describe: 'code model to check (default: the one the module follows)' },
  adrp: {
    type: 'boolean',
    default: true,
    describe: '--no-adrp: every ADRP is an error, as for kernels before 4.17 with CONFIG_ARM64_ERRATUM_843419',
  },
  sarif: { type: 'boolean', describe: 'print SARIF 2.1.0, for code scanners' },
} as const satisfies Record<string, Options>;

type Arguments = InferredOptionTypes<typeof OPTIONS> & { files: string[]; json?: boolean; quiet?: boolean };

export function builder(argv: Argv): Argv {
  return argv
    .positional('files', { type: 'string', array: true, demandOption: true, describe: 'module objects' })
    .options(OPTIONS)
    .conflicts('sarif', 'json')
    .example('$0 verify driver.ko', 'references that could go out of range, and what removes them')
    .example('$0 verify --model large --no-adrp driver.ko', 'fit for a 4.x kernel with the erratum workaround?');
}

export async function handler(values: unknown): Promise<void> {
  const options = values as Arguments;
  const verified: VerifiedFile[] = [];
  for (const file of options.files) {
    const module = await readModule(file);
    const { model, adrp } = options;
    verified.push({
      file,
      module: await aboutFile(file, () => verifyModule(module, { model, allowAdrp: adrp })),
    });
  }
  // SARIF names files by URI references, which have slashes on every system.
  const inUris = verified.map(({ file, module }) => ({ file: file.replaceAll(sep, '/'), module }));
  if (options.sarif) printJson(sarifLog(inUris, versionOfTool()));
  else if (options.json) printJson({ modules: verified.map(toJson) });
  else for (const one of verified) printModule(one, options.quiet ?? false);
  if (verified.some(({ module }) => countOf(module, 'error') > 0)) process.exitCode = 1;
}

function versionOfTool(): string {
  return (createRequire(import.meta.url)('../../../package.json') as { version: string }).version;
}

const countOf = ({ findings }: VerifiedModule, severity: Finding['severity']): number =>
  findings.filter((finding) => finding.severity === severity).length;

function toJson({ file, module }: VerifiedFile): object {
  return {
    name: module.name,
    file,
    model: module.model,
    window: Number.isFinite(module.window) ? module.window : null,
    findings: module.findings.map((finding) => ({
      severity: finding.severity,
      section: finding.section,
      offset: finding.offset,
      function: finding.function ?? null,
      type: finding.type,
      typeName: relocationName(finding.type),
      symbol: finding.symbol,
      addend: formatU64(finding.addend),
      kind: finding.kind,
      message: finding.message,
      kernels: RULES[finding.rule].kernels,
      remedy: RULES[finding.rule].remedy,
    })),
  };
}

/** What is said once about each rule that a module breaks. */
function printRemedies(file: string, { findings }: VerifiedModule): void {
  const broken = new Set(findings.filter(({ severity }) => severity === 'error').map(({ rule }) => rule));
  for (const rule of broken) {
    const { id, kernels, remedy } = RULES[rule];
    process.stdout.write(`${file}: ${id}: kernels that refuse it: ${kernels}\n${file}: ${id}: remedy: ${remedy}\n`);
  }
}

function printModule({ file, module }: VerifiedFile, errorsOnly: boolean): void {
  const { red, cyan } = colorsOf(process.stdout);
  const shown = { error: red('error'), note: cyan('note') };
  for (const { severity, section, offset, function: name, message, rule } of module.findings) {
    if (errorsOnly && severity !== 'error') continue;
    const place = `${file}:${section}+0x${offset.toString(16)}`;
    const where = name === undefined ? '' : `in ${name}(): `;
    process.stdout.write(
      `${printable(place)}: ${shown[severity]}: ${printable(where + message)} [${RULES[rule].id}]\n`,
    );
  }
  printRemedies(file, module);
  const counts = (['error', 'note'] as const).map((severity) => {
    const count = countOf(module, severity);
    return `${formatCount(count)} ${severity}${count === 1 ? '' : 's'}`;
  });
  const window = Number.isFinite(module.window)
    ? `within ${formatSize(module.window)} of what it refers to`
    : 'anywhere';
  const safe = countOf(module, 'error') > 0 ? '' : `; safe ${window}`;
  process.stdout.write(`${file}: ${module.model} code model: ${counts.join(', ')}${safe}\n`);
}
