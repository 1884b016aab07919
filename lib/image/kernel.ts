/**
 * One face for every form a kernel comes in: vmlinux or raw Image, compressed or not.
 *
 * What costs time (symbols, exports) is found when first asked for: placing and relocating an image needs neither.
 */
import { type Va, va } from '../address.js';
import type { ElfFile } from '../elf/file.js';
import { isElf } from '../elf/header.js';
import { ImageFormatError } from '../errors.js';
import { type Era, eraByKey, eraOfVersion } from '../kaslr/era.js';
import { vaBitsMinOf } from '../kaslr/layout.js';
import { relocateImage } from '../reloc/relative.js';
import { type RelocatableImage, type RelocationTables, relrPlaces } from '../reloc/relative-place.js';
import { type Banner, findBanner } from './banner.js';
import { unpack } from './container.js';
import { isImage, readImageHeader, requireWholeImage } from './image-header.js';
import { decodeKallsyms, type SymbolColumns } from './kallsyms.js';
import { DEFAULT_CONFIG, type KernelConfig } from './kernel-config.js';
import { findExports } from './ksymtab.js';
import { findRelocationTables } from './relocation-search.js';
import { findVaBits } from './va-bits.js';
import { openVmlinux, type Vmlinux, vmlinuxSymbols } from './vmlinux.js';

export interface KernelOptions {
  /** An era by its key, instead of the one the version banner gives. */
  readonly era?: string | undefined;
  readonly config?: KernelConfig | undefined;
}

export class Kernel {
  readonly format: 'vmlinux' | 'image';
  readonly compression: string;
  readonly banner: Banner;
  readonly era: Era;
  readonly config: KernelConfig;
  readonly pageSize: number;
  readonly vaBits: number;
  readonly vaBitsMin: number;
  /** Link address of `_text`. */
  readonly linkBase: Va;
  /** `_end - _text`. */
  readonly imageSize: number;
  /** The image from `_text` to the end of its file, as linked; not to be changed. */
  readonly image: Uint8Array;
  readonly tables: RelocationTables;
  /** The file behind a vmlinux. */
  readonly elf: ElfFile | undefined;
  readonly #vmlinux: Vmlinux | undefined;
  #symbols: SymbolColumns | undefined;
  #exports: ReadonlyMap<string, Va> | undefined;
  #atLinkAddress: Uint8Array | undefined;

  /** Takes what `openKernel` has unpacked. */
  constructor(bytes: Uint8Array, compression: string, options: KernelOptions = {}) {
    this.compression = compression;
    this.#vmlinux = isElf(bytes) ? openVmlinux(bytes) : undefined;
    this.elf = this.#vmlinux?.file;
    this.format = this.#vmlinux ? 'vmlinux' : 'image';
    this.image = this.#vmlinux?.image ?? aligned(bytes);
    if (!isImage(this.image)) {
      throw new ImageFormatError(
        'NOT_A_KERNEL',
        'neither an arm64 vmlinux nor an arm64 Image (no ARM\\x64 at offset 56)',
      );
    }
    const header = readImageHeader(this.image);
    if (!this.#vmlinux) requireWholeImage(this.image);
    if (this.image.length > header.imageSize) {
      // A raw Image may carry an appended signature; the kernel itself ends before `_end`.
      this.image = this.image.subarray(0, header.imageSize);
    }
    this.imageSize = header.imageSize;
    this.pageSize = header.pageSize ?? 4096;
    this.banner = findBanner(this.image);
    this.era = options.era === undefined ? eraOfVersion(this.banner) : eraByKey(options.era);
    this.config = options.config ?? DEFAULT_CONFIG;
    if (this.#vmlinux) {
      this.linkBase = this.#vmlinux.linkBase;
      this.tables = withRelrCount({ bytes: this.image, linkBase: this.linkBase, tables: this.#vmlinux.tables });
    } else {
      const found = findRelocationTables(this.image, header);
      if (!found) throw notRelocatable();
      this.linkBase = va(found.linkBase);
      this.tables = { rela: found.rela, relr: found.relr };
      if (found.movedBy !== 0)
        this.image = movedBack({ bytes: this.image, linkBase: this.linkBase, tables: this.tables }, found.movedBy);
    }
    const fromBase = vaBitsOfBase(this.linkBase, this.era);
    this.vaBits = this.config.vaBits ?? findVaBits(this.image) ?? fromBase;
    this.vaBitsMin = vaBitsMinOf(this.pageSize, this.vaBits);
    if (this.vaBitsMin !== fromBase) {
      throw new ImageFormatError(
        'BAD_TABLE',
        `linked for ${fromBase} VA bits, but CONFIG_ARM64_VA_BITS=${this.vaBits} needs ${this.vaBitsMin}: wrong config or era?`,
      );
    }
  }

  /**
   * What `relocateImage` takes; `bytes` is a fresh copy.
   * @throws ImageFormatError NOT_RELOCATABLE without tables
   */
  relocatable(): RelocatableImage {
    if (this.tables.rela.count + this.tables.relr.count === 0) throw notRelocatable();
    return { bytes: this.image.slice(), linkBase: this.linkBase, tables: this.tables };
  }

  /** All symbols by address: the vmlinux's own, else kallsyms. @throws ImageFormatError NO_SYMBOLS */
  symbols(): SymbolColumns {
    this.#symbols ??= this.#vmlinux
      ? vmlinuxSymbols(this.#vmlinux)
      : decodeKallsyms(this.#linkedImage(), this.linkBase);
    return this.#symbols;
  }

  /** Link address of a symbol by name; the first by address where several share it. */
  symbol(name: string): Va | undefined {
    const { names, addresses } = this.symbols();
    const index = names.indexOf(name);
    return index < 0 ? this.exports().get(name) : va(addresses[index]!);
  }

  /** What EXPORT_SYMBOL makes visible to modules, at link addresses. */
  exports(): ReadonlyMap<string, Va> {
    this.#exports ??= findExports(this.#linkedImage(), this.linkBase, this.imageSize);
    return this.#exports;
  }

  /** The image as it would run where it was linked: RELA places are zero in the file. */
  #linkedImage(): Uint8Array {
    if (!this.#atLinkAddress) {
      const image = { bytes: this.image.slice(), linkBase: this.linkBase, tables: this.tables };
      relocateImage(image, 0);
      this.#atLinkAddress = image.bytes;
    }
    return this.#atLinkAddress;
  }
}

function notRelocatable(): ImageFormatError {
  return new ImageFormatError('NOT_RELOCATABLE', 'not relocatable: built without CONFIG_RELOCATABLE');
}

/** An image that was relocated already, at its link address again: RELR takes the move back, RELATIVE stores the addends. */
function movedBack(image: RelocatableImage, movedBy: number): Uint8Array {
  const copy = { ...image, bytes: image.bytes.slice() };
  relocateImage(copy, -movedBy);
  relocateImage(copy, 0);
  return copy.bytes;
}

/** A plain view (`slice` of a Node Buffer shares memory), copied where it does not start at a multiple of 8, as word access needs. */
function aligned(bytes: Uint8Array): Uint8Array {
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  return plain.byteOffset % 8 === 0 ? plain : plain.slice();
}

function withRelrCount(image: RelocatableImage): RelocationTables {
  return { ...image.tables, relr: { ...image.tables.relr, count: relrPlaces(image).length } };
}

/** VA_BITS_MIN from where the kernel is linked: the image lies right above the start of its half (or quarter) of the space. */
function vaBitsOfBase(linkBase: Va, era: Era): number {
  const bits = Math.ceil(Math.log2(-linkBase));
  return era.layoutRule === 'low-half' ? bits : bits + 1;
}

/**
 * Opens a kernel in any form.
 * Checks container, header, banner and that link base and VA bits fit the era. Does not check the tables' places: `relocateImage` does.
 * @throws ImageFormatError, ElfFormatError, PlacementError UNKNOWN_ERA
 */
export async function openKernel(bytes: Uint8Array, options: KernelOptions = {}): Promise<Kernel> {
  const unpacked = await unpack(bytes);
  return new Kernel(unpacked.bytes, unpacked.compression, options);
}
