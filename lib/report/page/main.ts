/** The page's script: reads the report from the document it is in and draws it. */
import { isMissing, type ReportData } from '../report-data.js';
import { addressSection } from './address-section.js';
import { bootControl } from './boot-control.js';
import { Context } from './context.js';
import { element } from './element.js';
import { entropySection } from './entropy-section.js';
import { findingSection } from './finding-section.js';
import { mappingSection } from './mapping-section.js';
import { moduleSection } from './module-section.js';
import { formatCount, formatSize } from './quantity.js';
import { factList } from './section.js';
import { seedSection } from './seed-section.js';
import { themeControl } from './theme.js';

const SECTIONS = [addressSection, seedSection, moduleSection, entropySection, mappingSection, findingSection];

function header({ kernel, modules, generator }: ReportData): HTMLElement {
  const { era, pageSize, vaBits, vaBitsActual, linkBase, imageSize, relocations, exports } = kernel;
  const bits = vaBits === vaBitsActual ? `${vaBits}` : `${vaBits}, on a CPU with ${vaBitsActual}`;
  const facts = factList([
    ['File', `${kernel.file}, ${kernel.format}${kernel.compression === 'none' ? '' : `, ${kernel.compression}`}`],
    ['KASLR rules', `since ${era}`],
    ['Pages', `${pageSize / 1024}K`],
    ['VA bits', bits],
    ['Linked at', linkBase],
    ['Image', formatSize(imageSize)],
    ['Relocations', formatCount(relocations.rela + relocations.relr)],
    ['Exports', formatCount(exports)],
    ['Modules', isMissing(modules) ? 'none given' : formatCount(modules.names.length)],
    [
      'Modules go',
      `${kernel.fullRegion ? 'beyond the reach of BL' : 'within the reach of BL'}${kernel.hasConfig ? '' : ' (no .config)'}`,
    ],
  ]);
  const title = element(
    'div',
    {},
    element('p', { class: 'kicker' }, `${generator} report`),
    element('h1', {}, `Linux ${kernel.release}`),
  );
  return element('header', {}, element('div', { class: 'title' }, title, themeControl()), facts);
}

const data = JSON.parse(document.getElementById('report')!.textContent) as ReportData;
const context = new Context(data);
const sections = SECTIONS.map((make) => make(context));
const links = sections.map(({ id, title }) => element('a', { href: `#${id}` }, title));
document.body.append(
  header(data),
  element('nav', { 'aria-label': 'sections' }, ...links),
  bootControl(data, context.boot),
  element('main', {}, ...sections.map((part) => part.element)),
);
