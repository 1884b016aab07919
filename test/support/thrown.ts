/** What a call throws, where a test wants its code: a KaslrkitError, or whatever escaped. */
import { KaslrkitError } from '../../lib/errors.js';

/** The code of the error thrown; the error itself if it has none; undefined if nothing is thrown. */
export function codeOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error instanceof KaslrkitError ? error.code : error;
  }
  return undefined;
}

/** `codeOf` for a promise. */
export async function codeOfAsync(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error instanceof KaslrkitError ? error.code : error;
  }
  return undefined;
}
