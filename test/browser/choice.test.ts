/** What is chosen in one place shows in all others: a boot, a module, a stage of the mapping. */
import { describe, expect, it } from '@jest/globals';
import { columnOf, nextFrame, present, SampleReport, shownBy, tableOf } from './sample-report.js';

const report = new SampleReport();

describe('the slider', () => {
  it('goes through the boots, and everything with it', async () => {
    const page = await report.open();
    const slider = page.getByLabel('Boot', { exact: true });
    expect(await slider.getAttribute('max')).toBe(String(report.data.boots.length - 1));
    const facts = page.locator('.boot-facts');
    const strip = page.locator('#address-space .strip-box');
    const modules = tableOf(page, 'modules');
    const before = { range: await shownBy(strip), addresses: await columnOf(modules, 'Address') };
    await slider.focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await nextFrame(page);
    const { seed, text, regions } = report.data.boots[2]!;
    expect(await facts.textContent()).toContain(seed);
    expect(await facts.textContent()).toContain(text);
    expect(await slider.getAttribute('aria-valuetext')).toBe(`boot 2 of ${report.data.boots.length - 1}`);
    const after = { range: await shownBy(strip), addresses: await columnOf(modules, 'Address') };
    expect(after.range.start - before.range.start).toBe(BigInt(text) - BigInt(report.data.boots[0]!.text));
    const lowest = after.addresses.toSorted()[0]!;
    expect(BigInt(lowest)).toBeGreaterThanOrEqual(BigInt(regions[0]!.base));
    expect(after.addresses).not.toEqual(before.addresses);
    expect(await tableOf(page, 'boots').locator('tr[aria-current]').getAttribute('data-row')).toBe('2');
    await page.getByRole('button', { name: 'previous boot' }).click();
    expect(await facts.textContent()).toContain(report.data.boots[1]!.text);
  });

  it('follows a row of the table of boots', async () => {
    const page = await report.open();
    await tableOf(page, 'boots')
      .getByRole('button', { name: /^boot 5 of/ })
      .click();
    expect(await page.getByLabel('Boot', { exact: true }).inputValue()).toBe('5');
  });
});

describe('modules and mapping', () => {
  it('shows the distribution of the module that is picked', async () => {
    const page = await report.open();
    await tableOf(page, 'modules').getByRole('button', { name: 'many_calls' }).click();
    const caption = page.locator('#modules figcaption').filter({ hasText: /^many_calls: / });
    expect(await caption.count()).toBe(1);
    expect(await tableOf(page, 'modules').locator('tr[aria-current] > :first-child').textContent()).toBe('many_calls');
  });

  it('changes between the stages of the mapping', async () => {
    const page = await report.open();
    const table = tableOf(page, 'entries that map the image');
    const permissions = async () => new Set(await columnOf(table, 'Permissions'));
    const final = await permissions();
    await page.getByLabel(/while booting/).check();
    const early = await permissions();
    const stages = new Map(present(report.data.mapping).map(({ stage, runs }) => [stage, runs]));
    const expected = (stage: 'early' | 'final') => new Set(stages.get(stage)!.map((run) => run.permissions));
    expect([early, final]).toEqual([expected('early'), expected('final')]);
  });
});
