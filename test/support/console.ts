/** The console blocks of documents: what is typed, and what is shown to come of it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MAIN } from './cli.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The insides of all blocks of one language in a document of the project. */
export function blocksOf(path: string, language: string): string[] {
  const text = readFileSync(`${ROOT}${path}`, 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, inside]) => inside!);
}

/** `$ command`, with the lines that continue it, and the output that follows. */
export function sessionsOf(path: string): [command: string, output: string][] {
  return blocksOf(path, 'console')
    .flatMap((block) => block.split(/^\$ /m).slice(1))
    .map((session) => {
      const [command] = /^(?:.*\\\n>)*.*\n/.exec(session)!;
      return [command.trimEnd().replaceAll(/\\\n> */g, ''), session.slice(command.length)];
    });
}

/** What a shell prints of a command, errors included. */
export function shellOutput(command: string, folder: string): string {
  const script = `kaslrkit() { '${process.execPath}' '${MAIN}' "$@" 2>&1; }\n${command}`;
  return spawnSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8' }).stdout;
}
