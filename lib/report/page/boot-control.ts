/** The slider over boots, and what the chosen one is, always in sight. */
import { isMissing, type ReportData } from '../report-data.js';
import type { Choice } from './choice.js';
import { button, element } from './element.js';
import { formatCount } from './quantity.js';

/** What the first boot is. */
const CHOSEN: Readonly<Record<ReportData['chosen'], string>> = {
  seed: 'the boot asked for',
  text: 'the boot asked for',
  demonstration: 'demonstration',
};

export function bootName({ boots, chosen }: ReportData, index: number): string {
  return index === 0 ? CHOSEN[chosen] : `boot ${index} of ${boots.length - 1}`;
}

export function bootControl(data: ReportData, boot: Choice<number>): HTMLElement {
  const last = data.boots.length - 1;
  const slider = element('input', { type: 'range', id: 'boot', min: 0, max: last, step: 1, value: 0 });
  const facts = element('output', { class: 'boot-facts', for: 'boot' });
  const draw = (): void => {
    const index = boot.value;
    slider.value = String(index);
    slider.setAttribute('aria-valuetext', bootName(data, index));
    facts.replaceChildren(...bootFacts(data, index));
  };
  const step = (by: number) => () => boot.set(Math.min(Math.max(boot.value + by, 0), last));
  slider.addEventListener('input', () => boot.set(Number(slider.value)));
  boot.onChange(draw);
  draw();
  return element(
    'div',
    { class: 'boot-bar' },
    element('label', { for: 'boot' }, 'Boot'),
    button('\u2039', step(-1), { 'aria-label': 'previous boot', class: 'icon' }),
    slider,
    button('\u203a', step(1), { 'aria-label': 'next boot', class: 'icon' }),
    facts,
  );
}

function bootFacts(data: ReportData, index: number): HTMLElement[] {
  const { seed, moduleSeed, text, regions } = data.boots[index]!;
  const fact = (name: string, value: string) => element('span', {}, `${name} `, element('code', {}, value));
  const { plts } = data;
  const used = isMissing(plts) || isMissing(plts.used) ? undefined : plts.used.totals[index];
  return [
    element('strong', {}, bootName(data, index)),
    ...(seed === undefined ? [] : [fact('seed', seed)]),
    fact('_text', text),
    ...(moduleSeed === undefined ? [] : [fact('module seed', moduleSeed)]),
    ...regions.slice(0, 1).map(({ base }) => fact('modules from', base)),
    ...(used === undefined ? [] : [fact('PLT entries', formatCount(used))]),
  ];
}
