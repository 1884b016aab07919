/** One picture of a stretch of the address space: an axis of addresses, and tracks of bars drawn to scale below it. */
import { hex16 } from '../../address.js';
import { type Bar, barsOf, type Extent } from './bar-layout.js';
import { svgElement } from './element.js';
import { addressTicks, pixelOf, type Viewport } from './viewport.js';

export interface StripItem extends Extent {
  readonly label: string;
  /** Class that gives the colour. */
  readonly tone: string;
  /** Lines for whoever points at it. */
  readonly facts: () => readonly string[];
}

export interface Track {
  readonly name: string;
  /** Ascending and disjoint. */
  readonly items: readonly StripItem[];
  /** Colour of items that are drawn as one; default: the first one's. */
  readonly joinedTone?: string;
}

/** What of a track a bar stands for. */
export interface BarSource {
  readonly track: Track;
  readonly bar: Bar;
}

const OVERVIEW_HEIGHT = 14;
const FUNNEL_HEIGHT = 12;
const AXIS_HEIGHT = 20;
const NAME_HEIGHT = 17;
const BAR_HEIGHT = 24;
const TRACK_GAP = 6;
const TRACKS_TOP = OVERVIEW_HEIGHT + FUNNEL_HEIGHT + AXIS_HEIGHT;
/** 16 digits of the axis' font and a gap. */
const TICK_GAP = 150;
/** Widths of a character, at least as wide as they come out. */
const LABEL_CHARACTER = 6.9;
const TICK_CHARACTER = 6.7;
/** What small bars need to be seen and hit. */
const LEAST_MARKER = 5;

export interface Drawing {
  readonly whole: Viewport;
  readonly overview: readonly StripItem[];
  readonly tracks: readonly Track[];
  readonly viewport: Viewport;
  readonly width: number;
}

/** Height of the part that shows everything and takes other pointer actions. */
export const OVERVIEW = OVERVIEW_HEIGHT + FUNNEL_HEIGHT;

/** Draws into `svg` what was there before anew; bars carry the index of their source in `data-bar`. */
export function drawStrip(svg: SVGSVGElement, drawing: Drawing): BarSource[] {
  const { tracks, width } = drawing;
  const height = TRACKS_TOP + tracks.length * (NAME_HEIGHT + BAR_HEIGHT + TRACK_GAP);
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('height', String(height));
  const sources: BarSource[] = [];
  svg.replaceChildren(
    ...overviewOf(drawing),
    ...axisOf(drawing, height),
    ...tracks.map((track, i) => {
      const y = TRACKS_TOP + i * (NAME_HEIGHT + BAR_HEIGHT + TRACK_GAP);
      return trackOf(track, drawing, y, sources);
    }),
  );
  return sources;
}

function overviewOf({ whole, overview, viewport, width }: Drawing): SVGElement[] {
  const shapes: SVGElement[] = overview.map(({ start, end, tone }) => {
    const x = pixelOf(start, whole, width);
    const size = Math.max(pixelOf(end, whole, width) - x, 1);
    return svgElement('rect', { class: `bar tone-${tone}`, x, y: 0, width: size, height: OVERVIEW_HEIGHT });
  });
  const left = pixelOf(viewport.start, whole, width);
  const size = Math.max(pixelOf(viewport.start + viewport.span, whole, width) - left, LEAST_MARKER);
  const x = Math.min(left, width - size);
  const bottom = OVERVIEW_HEIGHT + FUNNEL_HEIGHT;
  const funnel = `${x},${OVERVIEW_HEIGHT} ${x + size},${OVERVIEW_HEIGHT} ${width},${bottom} 0,${bottom}`;
  return [
    ...shapes,
    svgElement('polygon', { class: 'funnel', points: funnel }),
    svgElement('rect', { class: 'window', x: x + 0.5, y: 0.5, width: size - 1, height: OVERVIEW_HEIGHT - 1 }),
  ];
}

function axisOf({ viewport, width }: Drawing, height: number): SVGElement[] {
  const top = OVERVIEW_HEIGHT + FUNNEL_HEIGHT;
  const half = (16 * TICK_CHARACTER) / 2;
  return addressTicks(viewport, { width, leastGap: TICK_GAP }).flatMap((address) => {
    const x = pixelOf(address, viewport, width);
    const line = svgElement('line', { class: 'grid', x1: x, x2: x, y1: top + AXIS_HEIGHT - 5, y2: height });
    if (address >= 0 || x < half || x > width - half) return [line];
    return [line, svgElement('text', { class: 'tick', x, y: top + 11, 'text-anchor': 'middle' }, hex16(address))];
  });
}

function trackOf(track: Track, { viewport, width }: Drawing, y: number, sources: BarSource[]): SVGElement {
  const top = y + NAME_HEIGHT;
  const group = svgElement('g', {}, svgElement('text', { class: 'track-name', x: 0, y: y + 12 }, track.name));
  group.append(svgElement('rect', { class: 'track', x: 0, y: top, width, height: BAR_HEIGHT }));
  for (const bar of barsOf(track.items, viewport, width)) {
    const item = track.items[bar.first]!;
    const joined = bar.last - bar.first;
    const tone = (joined > 0 ? track.joinedTone : undefined) ?? item.tone;
    const kind = joined > 0 ? ' joined' : bar.width < 3 ? ' small' : '';
    const shape = { x: bar.x, y: top, width: bar.width, height: BAR_HEIGHT, 'data-bar': sources.length };
    group.append(svgElement('rect', { class: `bar tone-${tone}${kind}`, ...shape }));
    sources.push({ track, bar });
    const left = Math.max(bar.x, 0);
    const room = Math.min(bar.x + bar.width, width) - left - 8;
    const label = joined > 0 ? `${joined + 1} together` : item.label;
    if (label.length * LABEL_CHARACTER <= room) {
      group.append(svgElement('text', { class: 'bar-label', x: left + 4, y: top + BAR_HEIGHT / 2 + 4 }, label));
    }
  }
  return group;
}
