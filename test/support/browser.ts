/**
 * A real Chromium, headless, that opens a report as a user does: from a file, by double click.
 *
 * Debian's package `chromium`, driven through playwright-core, which brings no browser of its own.
 */
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll } from '@jest/globals';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

/** Without these it asks its maker's servers at every start; in a container there is no sandbox and no GPU. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let browser: Browser | undefined;

/** Starts the browser before the tests of a file, and ends it after them. */
export function useBrowser(): void {
  beforeAll(async () => {
    if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is missing: apt-get install chromium`);
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  });
  afterAll(async () => {
    await browser?.close();
  });
}

export interface OpenPage {
  readonly page: Page;
  /** Everything the console was told, errors that nothing caught, and every address that was asked for. */
  readonly messages: readonly string[];
  readonly requests: readonly string[];
}

/** Opens an HTML file and waits until it has drawn itself. */
export async function openFile(file: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const page = await browser!.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const messages: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => messages.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => messages.push(`uncaught: ${error.message}`));
  page.on('dialog', (dialog) => {
    messages.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(pathToFileURL(file).href);
  // Charts and strips are drawn in the frame after their place has a width.
  if (options.javaScriptEnabled !== false) await page.locator('.chart svg').first().waitFor();
  return { page, messages, requests };
}
