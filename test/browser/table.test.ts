/** Tables sort and search, by pointer and by keyboard. */
import { describe, expect, it } from '@jest/globals';
import { columnOf, present, SampleReport, tableOf } from './sample-report.js';

const report = new SampleReport();

const numberOf = (text: string): number => Number(text.replaceAll(',', ''));

describe('a table', () => {
  it('sorts by a click, the other way by a second one, and says so', async () => {
    const page = await report.open();
    const table = tableOf(page, 'modules');
    const head = table.getByRole('columnheader', { name: 'Branches' });
    expect(await head.getAttribute('aria-sort')).toBe('none');
    await head.getByRole('button').click();
    expect(await head.getAttribute('aria-sort')).toBe('descending');
    const { branches, names } = present(report.data.modules);
    const falling = branches.toSorted((a, b) => b - a);
    expect((await columnOf(table, 'Branches')).map(numberOf)).toEqual(falling);
    await head.getByRole('button').click();
    expect(await head.getAttribute('aria-sort')).toBe('ascending');
    expect((await columnOf(table, 'Branches')).map(numberOf)).toEqual(falling.toReversed());
    await table.getByRole('columnheader', { name: 'Module' }).getByRole('button').click();
    expect(await columnOf(table, 'Module')).toEqual(names.toSorted());
    expect(await table.locator('thead [aria-sort]:not([aria-sort="none"])').count()).toBe(1);
  });

  it('sorts by the keyboard', async () => {
    const page = await report.open();
    const table = tableOf(page, 'boots');
    await table.getByRole('columnheader', { name: '_text', exact: true }).getByRole('button').focus();
    await page.keyboard.press('Enter');
    const texts = await columnOf(table, '_text');
    expect(texts).toEqual(report.data.boots.map(({ text }) => text).toSorted());
  });

  it('shows what matches, counts it, and shows all again', async () => {
    const page = await report.open();
    const table = tableOf(page, 'modules');
    const { names } = present(report.data.modules);
    await table.getByRole('searchbox').fill('LARGE');
    const found = await columnOf(table, 'Module');
    expect(found.toSorted()).toEqual(names.filter((name) => name.includes('large')).toSorted());
    expect(await table.locator('.table-status').textContent()).toBe(`${found.length} rows, of ${names.length}`);
    await table.getByRole('searchbox').fill('no such module');
    expect(await table.locator('tbody tr').count()).toBe(0);
    await table.getByRole('searchbox').fill('');
    expect(await table.locator('tbody tr').count()).toBe(names.length);
  });
});
