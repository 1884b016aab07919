/**
 * Colour, on a terminal that has it. picocolors' own choice also colours a file on Windows and in CI; Node's looks at the
 * stream, NO_COLOR, FORCE_COLOR and TERM.
 */
import type { WriteStream } from 'node:tty';
import pc from 'picocolors';

export type Colors = ReturnType<typeof pc.createColors>;

/** Colours for what is written to `stream`: all of them leave text as it is, unless it is a terminal. */
export function colorsOf(stream: WriteStream): Colors {
  return pc.createColors(stream.isTTY === true && stream.hasColors());
}
