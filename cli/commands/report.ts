import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import type { Argv, InferredOptionTypes, Options } from 'yargs';
import { type PageAssets, reportHtml } from '../../lib/report/html.js';
import { isMissing, type ReportData } from '../../lib/report/report-data.js';
import { filesOfKernel, readKernel } from '../input.js';
import { findModules } from '../module-files.js';
import { REGION_OPTIONS } from '../module-session.js';
import { aboutFile } from '../output/error.js';
import { requireNotInput, STANDARD_OUTPUT, writeOutput } from '../output/file.js';
import { formatCount, formatSize, printFields, printJson } from '../output/print.js';
import { type PlacementArguments, withPlacement } from '../placement.js';
import { surveyKernel } from '../report-survey.js';

const OPTIONS = {
  kernel: { type: 'string', demandOption: true, requiresArg: true, describe: 'vmlinux or Image' },
  modules: { type: 'string', requiresArg: true, describe: 'folder of modules, all of which are reported on' },
  output: { alias: 'o', type: 'string', demandOption: true, requiresArg: true, describe: 'the HTML file' },
  'module-seed': {
    type: 'string',
    requiresArg: true,
    describe: "the module region's own random value, where the seed does not fix it",
  },
  'erratum-843419': REGION_OPTIONS['erratum-843419'],
} as const satisfies Record<string, Options>;

type Arguments = PlacementArguments & InferredOptionTypes<typeof OPTIONS> & { json?: boolean };

export function builder(argv: Argv): Argv {
  return withPlacement(argv)
    .options(OPTIONS)
    .example(
      '$0 report --kernel vmlinuz --modules /lib/modules/$(uname -r) -o report.html',
      'a demonstration seed, and all modules',
    )
    .example('$0 report --kernel vmlinuz --seed 0xfedcba9876543210 -o boot.html', 'of one boot');
}

export async function handler(values: unknown): Promise<void> {
  const options = values as Arguments;
  const { output } = options;
  const modules = options.modules === undefined ? undefined : await findModules(options.modules);
  await requireNotInput(output, ...filesOfKernel(options.kernel, options), ...(modules?.values() ?? []));
  const kernel = await readKernel(options.kernel, options);
  const file = basename(options.kernel);
  const data = await aboutFile(options.kernel, () =>
    surveyKernel({ kernel, file, generator: generator(), options, modules }),
  );
  const html = Buffer.from(reportHtml(data, readAssets()));
  await writeOutput(output, html);
  if (output === STANDARD_OUTPUT) return;
  if (options.json) printJson(summaryJson(data, { output, size: html.length }));
  else printSummary(data, { output, size: html.length });
}

function generator(): string {
  const { name, version } = createRequire(import.meta.url)('../../../package.json') as Record<string, string>;
  return `${name} ${version}`;
}

/** What `npm run build` made of lib/report/page. */
function readAssets(): PageAssets {
  const read = (name: string): string => readFileSync(new URL(`../../lib/report/${name}`, import.meta.url), 'utf8');
  const script = read('page.js');
  return { script, scriptHash: createHash('sha256').update(script).digest('base64'), style: read('style.css') };
}

interface Written {
  readonly output: string;
  readonly size: number;
}

function summaryJson({ boots, modules }: ReportData, written: Written): object {
  const { seed = null, text } = boots[0]!;
  return {
    ...written,
    seed,
    text,
    modules: isMissing(modules) ? null : { listed: modules.names.length, refused: modules.refused },
  };
}

function printSummary({ boots, chosen, modules }: ReportData, { output, size }: Written): void {
  const { seed, moduleSeed, text } = boots[0]!;
  const note = chosen === 'demonstration' ? ' (a demonstration: --seed or --text names a boot)' : '';
  printFields([
    ['output', `${output}, ${formatSize(size)}`],
    ...(seed === undefined ? [] : [['seed', `${seed}${note}`] as const]),
    ['_text', text],
    ...(moduleSeed === undefined ? [] : [['module seed', moduleSeed] as const]),
    ...(isMissing(modules)
      ? []
      : [['modules', `${formatCount(modules.names.length)}, ${formatCount(modules.refused.length)} refused`] as const]),
  ]);
}
