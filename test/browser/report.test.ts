/** The report as a whole: it opens in silence, fits, follows light and dark, prints, and can be used without a pointer. */
import { describe, expect, it } from '@jest/globals';
import { SampleReport } from './sample-report.js';

const report = new SampleReport();

describe('the page', () => {
  it.each(['light', 'dark'] as const)(
    'opens without a word on the console and asks for nothing (%s)',
    async (colorScheme) => {
      const page = await report.open({ colorScheme });
      expect(report.requests).toEqual([report.url]);
      expect(await page.title()).toBe(`kaslrkit: ${report.data.kernel.release}`);
      expect(await page.locator('h1').textContent()).toBe(`Linux ${report.data.kernel.release}`);
    },
  );

  it('has every section, each with a picture and a table', async () => {
    const page = await report.open();
    const links = await page.locator('nav a').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
    expect(links).toEqual(['#address-space', '#seed', '#modules', '#entropy', '#mapping', '#findings']);
    for (const id of links) {
      const section = page.locator(id!);
      expect(await section.locator('svg[role="img"]').count()).toBeGreaterThan(0);
      expect(await section.locator('table').count()).toBeGreaterThan(0);
      expect(await section.locator('.missing').count()).toBe(0);
    }
  });

  it('follows the system into the dark, and the reader out of it', async () => {
    const page = await report.open({ colorScheme: 'dark' });
    const brightness = () =>
      page.evaluate(() => {
        const [red, green, blue] = getComputedStyle(document.body).backgroundColor.match(/\d+/g)!.map(Number);
        return (red! + green! + blue!) / 3;
      });
    expect(await brightness()).toBeLessThan(64);
    await page.selectOption('#theme', 'light');
    expect(await brightness()).toBeGreaterThan(192);
    await page.selectOption('#theme', 'auto');
    expect(await brightness()).toBeLessThan(64);
  });

  it.each([1280, 800, 400])(
    'fits a window of %d pixels, with no address of an axis cut off or on another',
    async (width) => {
      const page = await report.open({ viewport: { width, height: 900 } });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      const edges = await page.locator('.strip .tick').evaluateAll((ticks) =>
        ticks.map((tick) => {
          const { left, right, top } = tick.getBoundingClientRect();
          return { left, right, row: top };
        }),
      );
      expect(edges.length).toBeGreaterThan(0);
      for (const [i, { left, right, row }] of edges.entries()) {
        expect(left).toBeGreaterThanOrEqual(0);
        expect(right).toBeLessThanOrEqual(width);
        const previous = edges[i - 1];
        if (previous?.row === row) expect(left).toBeGreaterThan(previous.right);
      }
    },
  );

  it('says what it needs where scripts are off', async () => {
    const page = await report.open({ javaScriptEnabled: false });
    expect(await page.locator('body').textContent()).toContain('needs JavaScript');
  });

  it('prints without its controls, in light colours and with whole tables', async () => {
    const page = await report.open({ colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await page.locator('.finder, .theme, nav').filter({ visible: true }).count()).toBe(0);
    expect(await page.evaluate(() => getComputedStyle(document.body).color)).toBe('rgb(27, 31, 36)');
    const scrolls = await page
      .locator('.table-scroll')
      .evaluateAll((all) => all.map((one) => getComputedStyle(one).maxHeight));
    expect(new Set(scrolls)).toEqual(new Set(['none']));
  });

  it('gives every control a name', async () => {
    const page = await report.open();
    const nameless = await page.locator('button, input, select, summary, [tabindex]').evaluateAll((controls) =>
      controls
        .filter((control) => {
          const labels = 'labels' in control ? [...(control.labels as NodeListOf<Element>)] : [];
          const texts = [
            control.getAttribute('aria-label'),
            control.textContent,
            ...labels.map((one) => one.textContent),
          ];
          return texts.every((text) => !text?.trim());
        })
        .map((control) => control.outerHTML),
    );
    expect(nameless).toEqual([]);
  });
});
