/** Kernel releases, and since which of them a change holds: of the main line, and of older branches that took it over. */

export interface Change {
  /** The first version of the main line. */
  readonly since: string;
  /** The first releases of older branches. */
  readonly backports?: readonly string[];
}

/** `[_text, _stext)` is left out of the image's mapping, and so of what the image takes of vmalloc; later it is part of both again. */
export const HEAD_UNMAPPED: Change = { since: '5.11' };
export const HEAD_MAPPED_AGAIN: Change = { since: '6.18', backports: ['6.12.54', '6.17.4'] };

interface Release {
  /** Orders `major.minor`. */
  readonly branch: number;
  readonly patch: number;
}

/**
 * Distributions that keep an ABI number in the patch level's place write `x.y.0-abi`, so 0 is as good as none: the newest
 * release of the branch.
 */
function parseRelease(release: string): Release {
  const [, major, minor, patch] = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(release) ?? [];
  return { branch: Number(major) * 1000 + Number(minor), patch: Number(patch ?? 0) || Number.POSITIVE_INFINITY };
}

/**
 * Whether a release has a change.
 * @param release `6.12.107+deb13-arm64`; one that begins with no version has none
 */
export function hasChange(release: string, { since, backports = [] }: Change): boolean {
  const { branch, patch } = parseRelease(release);
  const backport = backports.map(parseRelease).find((one) => one.branch === branch);
  return branch >= parseRelease(since).branch || (backport !== undefined && patch >= backport.patch);
}

/** The kernel that is meant where only an era is given: the long-term one of that era. */
const ERA_RELEASES: Readonly<Record<string, string>> = {
  '4.6': '4.9',
  '4.12': '4.14',
  '4.17': '4.19',
  '5.4': '5.10',
  '6.0': '6.1',
  '6.5': '6.6',
  '6.9': '6.12',
  '6.16': '7.3',
};

/** The release that an era's key stands for. */
export function eraRelease(era: string): string {
  return ERA_RELEASES[era] ?? era;
}
