/** Output files: whole or not at all. */
import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { aboutFile } from './error.js';

/** Writes beside the target and renames, so that no reader sees half a file and a link in its place is replaced, not followed. */
export async function writeOutput(file: string, bytes: Uint8Array | string): Promise<void> {
  await aboutFile(file, () => {
    const beside = `${file}.${randomBytes(6).toString('hex')}`;
    try {
      writeFileSync(beside, bytes, { flag: 'wx' });
      renameSync(beside, file);
    } catch (error) {
      rmSync(beside, { force: true });
      throw error;
    }
  });
}
