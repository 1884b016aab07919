/** The part of elfy 1.0.0 that is used; it ships no types. */
declare module 'elfy' {
  export interface ElfyHeader {
    shnum: number;
    shstrndx: number;
  }
  export interface ElfySection {
    name: string;
    type: string | number;
    off: number;
    size: number;
    data: Buffer;
  }
  export class Parser {
    parseHeader(bytes: Buffer): ElfyHeader;
    parseBody(bytes: Buffer, header: ElfyHeader): { sections: ElfySection[] };
    resolveBody(body: { sections: ElfySection[] }, header: ElfyHeader): { sections: ElfySection[] };
  }
  const elfy: { Parser: typeof Parser };
  export default elfy;
}
