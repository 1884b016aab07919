/** The parts every section of the page is made of. */
import { isMissing, type Part } from '../report-data.js';
import { element } from './element.js';

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly element: HTMLElement;
}

/** A section, or in its place the reason why there is none. */
export function section<T extends object>(
  { id, title, about }: { readonly id: string; readonly title: string; readonly about: string },
  part: Part<T>,
  build: (content: T) => readonly Node[],
): Section {
  const content = isMissing(part)
    ? [element('p', { class: 'missing' }, `Not in this report: ${part.missing}`)]
    : build(part);
  const head = [element('h2', {}, title), element('p', { class: 'about' }, about)];
  return { id, title, element: element('section', { id, 'aria-label': title }, ...head, ...content) };
}

/** A table that can be folded away. */
export function folded(title: string, content: Node, isOpen: boolean): HTMLElement {
  return element('details', { open: isOpen }, element('summary', {}, title), content);
}

/** Names and values side by side. */
export function factList(facts: readonly (readonly [string, string])[]): HTMLElement {
  const items = facts.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value)));
  return element('dl', { class: 'facts' }, ...items);
}
