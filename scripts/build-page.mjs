/**
 * Makes what a report inlines: the page's script with all it imports in one, its style sheet, and the notices of the packages
 * that the script contains.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const outdir = join(root, 'dist/lib/report');

const { metafile, outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: { page: 'lib/report/page/main.ts', style: 'lib/report/page/report.css' },
  bundle: true,
  minify: true,
  format: 'iife',
  // The first browsers with light-dark(), which the style sheet needs.
  target: ['chrome123', 'firefox120', 'safari17.5'],
  legalComments: 'none',
  metafile: true,
  write: false,
  outdir,
  logLevel: 'warning',
});

/** Folders of the packages that ended up in the script. */
const packages = [
  ...new Set(Object.keys(metafile.inputs).flatMap((file) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? [])),
].sort();

/** Packages by the text of their licence, so that one text stands once. */
const notices = new Map();
for (const folder of packages) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? readFileSync(join(root, folder, file), 'utf8').trim() : license;
  notices.set(text, [...(notices.get(text) ?? []), `${name} ${version}`]);
}
const notice = [...notices].map(([text, names]) => `${names.join(', ')}\n\n${text}`).join('\n\n');

for (const { path, text } of outputFiles) {
  const isScript = path.endsWith('.js');
  const made = isScript ? `/* Contains:\n\n${notice.replaceAll('*/', '* /')}\n*/\n${text}` : text;
  // Either would end the element that the text is inlined into.
  if (/<\/(script|style)|<!--|\r/i.test(made)) throw new Error(`${path} cannot be inlined`);
  if (!existsSync(outdir)) throw new Error(`${outdir} is missing: compile first`);
  writeFileSync(path, made);
}
