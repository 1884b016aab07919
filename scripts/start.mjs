/**
 * The main job on the sample kernel, as `npm start`: each step is a command that works on a real kernel too.
 */
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const kernel = 'samples/bin/6.1/Image';
const modules = ['many_calls', 'exporter', 'importer', 'init_only'].map((name) => `samples/bin/6.1/${name}.ko`);
const seed = '0xfedcba9876543210';

const steps = [
  ['Where does this seed put the kernel?', ['place', kernel, '--seed', seed]],
  [
    'The kernel as it stands there, relocated:',
    ['relocate', kernel, '--seed', seed, '-o', join(tmpdir(), 'Image.run')],
  ],
  [
    'Modules next to the kernel (seed 0 is KASLR off): every branch reaches, no PLT entry is used.',
    ['load', ...modules, '--kernel', kernel, '--seed', '0'],
  ],
  [
    'The same modules where this seed lets them go, too far for a branch:',
    ['load', ...modules, '--kernel', kernel, '--seed', seed],
  ],
];

for (const [title, command] of steps) {
  const shown = command
    .filter((word) => !modules.includes(word) || word === modules[0])
    .map((word) => (word === modules[0] ? 'samples/bin/6.1/*.ko' : word));
  console.log(`${title}\n$ kaslrkit ${shown.join(' ')}`);
  console.log(execFileSync(process.execPath, ['dist/cli/main.js', ...command], { cwd: root, encoding: 'utf8' }));
}
