/** The report of a sample kernel, open in a browser, and what tests read off it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, expect } from '@jest/globals';
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { isMissing, type Part, type ReportData } from '../../lib/report/report-data.js';
import { type OpenPage, openFile, useBrowser } from '../support/browser.js';
import { run, temporaryFolder } from '../support/cli.js';
import { samplePath } from '../support/sample.js';

/** A part that every report of a sample has. */
export function present<T extends object>(part: Part<T>): T {
  if (isMissing(part)) throw new Error(part.missing);
  return part;
}

/** The data that an HTML file holds. */
export function dataOf(html: string): ReportData {
  return JSON.parse(/id="report">(.*?)<\/script>/s.exec(html)![1]!) as ReportData;
}

/** One report for the tests of a file, opened anew by each; the console has to be silent whatever they do. */
export class SampleReport {
  readonly file = join(temporaryFolder(), 'report.html');
  #data: ReportData | undefined;
  #opened: OpenPage | undefined;

  constructor() {
    useBrowser();
    beforeAll(() => {
      const modules = ['--modules', samplePath('6.12')];
      const outcome = run(['report', '--kernel', samplePath('6.12/vmlinux'), ...modules, '-o', this.file]);
      expect(outcome).toMatchObject({ status: 0, stderr: '' });
      this.#data = dataOf(readFileSync(this.file, 'utf8'));
    });
    afterEach(async () => {
      const { page, messages = [] } = this.#opened ?? {};
      this.#opened = undefined;
      await page?.close();
      expect(messages).toEqual([]);
    });
  }

  get data(): ReportData {
    return this.#data!;
  }

  get url(): string {
    return pathToFileURL(this.file).href;
  }

  /** Every address that the open page asked for. */
  get requests(): readonly string[] {
    return this.#opened!.requests;
  }

  async open(options: BrowserContextOptions = {}): Promise<Page> {
    this.#opened = await openFile(this.file, options);
    return this.#opened.page;
  }
}

/** The table under a caption. */
export function tableOf(page: Page, caption: string): Locator {
  return page.locator('.data-table').filter({ has: page.locator('caption', { hasText: new RegExp(`^${caption}$`) }) });
}

/** The text of a column's cells, by its head. */
export async function columnOf(table: Locator, name: string): Promise<string[]> {
  const heads = await table.locator('thead th').allTextContents();
  const index = heads.findIndex((head) => head.trim() === name);
  expect(index).toBeGreaterThanOrEqual(0);
  return table.locator(`tbody tr > :nth-child(${index + 1})`).allTextContents();
}

export interface ShownRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** What a strip says it shows. */
export async function shownBy(strip: Locator): Promise<ShownRange> {
  const text = (await strip.locator('.range').textContent()) ?? '';
  const [, start, last] = /^(0x[0-9a-f]{16}) to (0x[0-9a-f]{16}):/.exec(text)!;
  return { start: BigInt(start!), end: BigInt(last!) + 1n };
}

export const sizeOf = ({ start, end }: ShownRange): number => Number(end - start);

/** Strips draw in the next frame. */
export function nextFrame(page: Page): Promise<unknown> {
  return page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}
