/** Light or dark: as the system has it, until the reader says otherwise. */
import { element } from './element.js';

const THEMES = ['auto', 'light', 'dark'] as const;

export function themeControl(): HTMLElement {
  const options = THEMES.map((theme) => element('option', { value: theme }, theme));
  const select = element('select', { id: 'theme' }, ...options);
  select.addEventListener('change', () => {
    document.documentElement.dataset.theme = select.value;
  });
  return element('label', { class: 'theme' }, 'Colours ', select);
}
