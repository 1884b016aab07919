/** The picture of the address space zooms, moves and finds, and is to scale. */
import { describe, expect, it } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { columnOf, nextFrame, present, SampleReport, shownBy, sizeOf, tableOf } from './sample-report.js';

const report = new SampleReport();

async function press(strip: Locator, key: string): Promise<void> {
  await strip.locator('.strip-frame').press(key);
  await nextFrame(strip.page());
}

describe('the address space', () => {
  const stripOf = (page: Page) => page.locator('#address-space .strip-box');

  it('zooms and moves by buttons and keys', async () => {
    const page = await report.open();
    const strip = stripOf(page);
    const before = await shownBy(strip);
    const span = sizeOf(before);
    await strip.getByRole('button', { name: 'zoom in' }).click();
    await nextFrame(page);
    expect(sizeOf(await shownBy(strip)) / span).toBeCloseTo(0.5, 3);
    await press(strip, '-');
    expect(sizeOf(await shownBy(strip)) / span).toBeCloseTo(1, 3);
    await press(strip, 'ArrowLeft');
    const moved = await shownBy(strip);
    expect(Number(before.start - moved.start) / span).toBeCloseTo(0.2, 3);
    await press(strip, 'Home');
    expect(await shownBy(strip)).toEqual({
      start: BigInt(report.data.space[0]!.start),
      end: BigInt(report.data.space.at(-1)!.end),
    });
  });

  it('keeps the address under the pointer where it is', async () => {
    const page = await report.open();
    const strip = stripOf(page);
    const box = (await strip.locator('svg.strip').boundingBox())!;
    const at = 0.3;
    const addressAt = ({ start, end }: { start: bigint; end: bigint }): bigint =>
      start + BigInt(Math.round(Number(end - start) * at));
    const before = await shownBy(strip);
    await page.mouse.move(box.x + box.width * at, box.y + 150);
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -500);
    await page.keyboard.up('Control');
    await nextFrame(page);
    const wheeled = await shownBy(strip);
    const zoom = sizeOf(before) / sizeOf(wheeled);
    expect(zoom).toBeGreaterThan(1.5);
    const pixel = sizeOf(wheeled) / box.width;
    expect(Math.abs(Number(addressAt(wheeled) - addressAt(before)))).toBeLessThan(2 * pixel);
    await page.mouse.dblclick(box.x + box.width * at, box.y + 150);
    await nextFrame(page);
    const closer = await shownBy(strip);
    expect(sizeOf(wheeled) / sizeOf(closer)).toBeCloseTo(4, 2);
    expect(Math.abs(Number(addressAt(closer) - addressAt(before)))).toBeLessThan(2 * pixel);
  });

  it('moves with the pointer that drags it', async () => {
    const page = await report.open();
    const strip = stripOf(page);
    const box = (await strip.locator('svg.strip').boundingBox())!;
    const before = await shownBy(strip);
    await page.mouse.move(box.x + 600, box.y + 150);
    await page.mouse.down();
    await page.mouse.move(box.x + 400, box.y + 150, { steps: 4 });
    await page.mouse.up();
    await nextFrame(page);
    const after = await shownBy(strip);
    const pixel = sizeOf(before) / box.width;
    expect(Number(after.start - before.start) / pixel).toBeCloseTo(200, 0);
  });

  it('is to scale, to the byte', async () => {
    const page = await report.open();
    const strip = stripOf(page);
    await strip.getByRole('button', { name: 'Image' }).click();
    await nextFrame(page);
    const { start, end } = await shownBy(strip);
    const width = await strip
      .locator('svg.strip')
      .evaluate((svg) => Number(svg.getAttribute('viewBox')!.split(' ')[2]));
    const image = strip.locator('g').filter({ hasText: 'Kernel image' });
    const drawn = await image
      .locator('rect.bar')
      .evaluateAll((bars) => bars.map((bar) => [Number(bar.getAttribute('x')), Number(bar.getAttribute('width'))]));
    const scale = width / Number(end - start);
    const from = Number(BigInt(report.data.boots[0]!.text) - start);
    const expected = present(report.data.segments).map((segment) => [
      (from + segment.start) * scale,
      (segment.end - segment.start) * scale,
    ]);
    expect(drawn).toHaveLength(expected.length);
    for (const [i, [x, size]] of expected.entries()) {
      expect(drawn[i]![0]).toBeCloseTo(x!, 3);
      expect(drawn[i]![1]).toBeCloseTo(Math.max(size!, 1), 3);
    }
  });

  it('finds modules and addresses, and says where it finds nothing', async () => {
    const page = await report.open();
    const strip = stripOf(page);
    const find = async (query: string): Promise<string> => {
      await page.getByLabel('Find a module or an address').fill(query);
      await page.keyboard.press('Enter');
      await nextFrame(page);
      return (await page.locator('.finder output').textContent()) ?? '';
    };
    expect(await find('many-calls')).toMatch(/^many_calls at 0xffff[0-9a-f]{12}$/);
    const shown = await shownBy(strip);
    const [address] = await columnOf(tableOf(page, 'modules'), 'Address');
    expect(address).toMatch(/^0xffff/);
    expect(sizeOf(shown)).toBeLessThan(2 ** 24);
    const text = BigInt(report.data.boots[0]!.text);
    expect(await find(`0x${(text + 0x10008n).toString(16)}`)).toContain('vmalloc, text');
    const around = await shownBy(strip);
    expect(around.start < text + 0x10008n && around.end > text + 0x10008n).toBe(true);
    expect(await find('nosuch')).toBe('no module nosuch');
    expect(await find('0x0000000000001000')).toContain('not in the kernel');
  });

  it('tells what the pointer is on', async () => {
    const page = await report.open();
    const strip = stripOf(page);
    await strip.getByRole('button', { name: 'Image' }).click();
    await nextFrame(page);
    await strip.locator('g').filter({ hasText: 'Kernel image' }).locator('rect.bar').nth(1).hover();
    const lines = await strip.locator('.tooltip > *').allTextContents();
    expect(lines[0]).toBe('text');
    expect(lines[1]).toMatch(/^0x[0-9a-f]{16} – 0x[0-9a-f]{16}$/);
  });
});
