/**
 * The page: one HTML file that needs nothing else, and is forbidden to fetch anything.
 *
 * Names of modules, sections and symbols are hostile input. They reach the page as JSON alone, in which no `<` is left to end
 * the script element, and the page's script turns them into text nodes, never into markup.
 */
import type { ReportData } from './report-data.js';

/** The page's own script and style sheet, as the build makes them. */
export interface PageAssets {
  readonly script: string;
  /** SHA-256 of the script in base64: the only one that may run. */
  readonly scriptHash: string;
  readonly style: string;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** JSON that can stand in a script element. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

/** @returns the whole file; the same data gives the same bytes */
export function reportHtml(data: ReportData, { script, scriptHash, style }: PageAssets): string {
  // Charts style themselves with inline rules, wherever they stand; the empty icon keeps browsers from asking a server for one.
  const policy = `default-src 'none'; script-src 'sha256-${scriptHash}'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(`kaslrkit: ${data.kernel.release}`)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<noscript>This report draws itself with the script it contains, which needs JavaScript.</noscript>
<script type="application/json" id="report">${scriptJson(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}
