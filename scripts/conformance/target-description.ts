/**
 * Register numbers from a stub's target description (GDB manual, appendix G): XML files that list registers in the
 * order of their numbers, unless a `regnum` sets the count anew.
 *
 * QEMU numbers system registers as it finds them, so TTBR1_EL1 has another number on each CPU and version.
 */

const INCLUDE = /<xi:include\s[^>]*href="([^"]+)"/g;
const REGISTER = /<reg\s([^>]*)>/g;

function attribute(text: string, name: string): string | undefined {
  return new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(text)?.[1];
}

/**
 * @param read the text of one file of the description; `target.xml` is the one that includes the others
 * @returns numbers by name, as the files spell it
 */
export async function readTargetDescription(read: (file: string) => Promise<string>): Promise<Map<string, number>> {
  const target = await read('target.xml');
  const numbers = new Map<string, number>();
  let next = 0;
  const collect = (xml: string): void => {
    for (const [, attributes = ''] of xml.matchAll(REGISTER)) {
      const number = attribute(attributes, 'regnum');
      if (number !== undefined) next = Number(number);
      const name = attribute(attributes, 'name');
      if (name !== undefined) numbers.set(name, next);
      next++;
    }
  };
  collect(target);
  for (const [, file = ''] of target.matchAll(INCLUDE)) collect(await read(file));
  return numbers;
}
