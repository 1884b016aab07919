/** Names are hostile: what a module, a section or a symbol is called never becomes markup, and nothing that did could run or call home. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { reportHtml } from '../../lib/report/html.js';
import type { ReportData } from '../../lib/report/report-data.js';
import { reportData } from '../lib/report/report-sample.js';
import { openFile, useBrowser } from '../support/browser.js';
import { temporaryFolder } from '../support/cli.js';
import { present, tableOf } from './sample-report.js';

useBrowser();
const folder = temporaryFolder();

const asset = (name: string): string => readFileSync(new URL(`../../dist/lib/report/${name}`, import.meta.url), 'utf8');

const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '</script><script>alert(2)</script>',
  '<!--<script>',
  '"><svg onload=alert(3)>',
  'javascript:alert(4)',
  '__proto__',
  '\u202egnp.ko',
  'a'.repeat(3000),
];

function write(name: string, data: ReportData): string {
  const script = asset('page.js');
  const scriptHash = createHash('sha256').update(script).digest('base64');
  const file = join(folder, name);
  writeFileSync(file, reportHtml(data, { script, scriptHash, style: asset('style.css') }));
  return file;
}

/** Every text of the sample that comes from a file, replaced. */
function withName(name: string): ReportData {
  const data = reportData();
  const modules = present(data.modules);
  const findings = present(data.findings);
  return {
    ...data,
    kernel: { ...data.kernel, release: name, file: name },
    modules: { ...modules, names: [name, 'beta'], refused: [{ name, reason: name }] },
    findings: {
      ...findings,
      rows: findings.rows.map((row) => ({ ...row, module: name, section: name, message: name })),
    },
  };
}

describe('a hostile name', () => {
  it.each(HOSTILE.map((name) => [name.slice(0, 40), name]))('is shown as it is: %j', async (_, name) => {
    const file = write('hostile.html', withName(name));
    const { page, messages, requests } = await openFile(file);
    expect(await tableOf(page, 'modules').locator('tbody th').first().textContent()).toBe(name);
    expect(await tableOf(page, 'findings').locator('tbody td').last().textContent()).toBe(name);
    expect(await page.title()).toBe(`kaslrkit: ${name}`);
    expect(await page.locator('img, iframe, object, embed, a[href^="javascript"]').count()).toBe(0);
    expect(await page.locator('script').count()).toBe(2);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(1280);
    expect(messages).toEqual([]);
    expect(requests).toHaveLength(1);
    await page.close();
  });
});

describe('the policy of the page', () => {
  it('lets nothing run or load that a mistake might let in', async () => {
    const file = write('policy.html', reportData());
    const { page, messages } = await openFile(file);
    const server = createServer((_, response) => response.end());
    let connections = 0;
    server.on('connection', () => connections++);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const blocked = await page.evaluate(async (url) => {
      const violations: string[] = [];
      document.addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective));
      const script = document.createElement('script');
      script.textContent = 'window.owned = true';
      document.body.append(script);
      const image = document.createElement('img');
      image.src = url;
      document.body.append(image);
      const link = document.createElement('div');
      link.innerHTML = '<b onclick="window.owned = true">x</b>';
      document.body.append(link);
      (link.firstChild as HTMLElement).click();
      const fetched = await fetch(url).then(
        () => true,
        () => false,
      );
      // Violations are told by events, later.
      await new Promise((done) => setTimeout(done, 200));
      return { violations, fetched, owned: 'owned' in window };
    }, url);
    server.close();
    expect(blocked.owned).toBe(false);
    expect(blocked.fetched).toBe(false);
    expect(new Set(blocked.violations)).toEqual(
      new Set(['script-src-elem', 'script-src-attr', 'img-src', 'connect-src']),
    );
    expect(messages.length).toBeGreaterThan(0);
    expect(connections).toBe(0);
    await page.close();
  });
});

describe('a report with parts missing', () => {
  it('says in each why, and draws the others', async () => {
    const why = { missing: 'because <b>' };
    const data = { ...reportData(), modules: why, plts: why, entropy: why, mapping: why, findings: why, segments: why };
    const { page, messages } = await openFile(write('missing.html', data));
    expect(await page.locator('.missing').allTextContents()).toEqual(
      Array.from({ length: 4 }, () => 'Not in this report: because <b>'),
    );
    expect(await page.locator('#address-space svg.strip').count()).toBe(1);
    expect(await page.locator('#seed .chart svg').count()).toBeGreaterThan(0);
    expect(messages).toEqual([]);
    await page.close();
  });
});
