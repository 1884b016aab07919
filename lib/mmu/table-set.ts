/**
 * Translation tables in one buffer, as a boot loader would put them in memory: page 0 is the root, every table one
 * page, little-endian words, pointers physical from the address given for the buffer.
 *
 * Only storage: no entry is judged here (population.ts does) and none interpreted (walker.ts does).
 */
import { MappingError } from '../errors.js';
import { addressField } from './descriptor.js';
import { outputBits, type TranslationRegime } from './translation-regime.js';

const WORD = 8;

/** Pages a set may grow to unless told otherwise: enough for 4 GiB in 4K pages, 32 MiB of memory. */
const CAPACITY = 8192;

export class TableSet {
  readonly regime: TranslationRegime;
  /** Physical address of the buffer, which is that of the root table. */
  readonly root: number;
  /** Pages the set may grow to. */
  readonly capacity: number;
  #memory: Uint8Array;
  #view: DataView;
  #pages: number;

  /**
   * An empty root table, or the tables that `contents` holds already (copied; its first page the root).
   * @param setup `root` is page-aligned; `capacity` in pages, as for statically allocated tables
   * @throws MappingError MISALIGNED, TOO_LARGE, BAD_RANGE beyond the addresses that descriptors hold
   */
  constructor(setup: { regime: TranslationRegime; root: number; capacity?: number; contents?: Uint8Array }) {
    const { regime, root, contents } = setup;
    if (!Number.isInteger(root) || root < 0 || root % regime.pageSize !== 0) {
      throw new MappingError('MISALIGNED', `tables cannot start at physical ${root}: not a page`, { root });
    }
    if (contents !== undefined && (contents.length === 0 || contents.length % regime.pageSize !== 0)) {
      throw new MappingError('MISALIGNED', `${contents.length} bytes are not whole table pages`, {
        length: contents.length,
      });
    }
    this.regime = regime;
    this.root = root;
    this.capacity = setup.capacity ?? CAPACITY;
    this.#pages = contents === undefined ? 1 : contents.length / regime.pageSize;
    if (this.#pages > this.capacity) throw this.#full();
    this.#checkReach();
    // Not slice(): that of a Buffer shares memory.
    this.#memory = contents === undefined ? new Uint8Array(regime.pageSize) : new Uint8Array(contents);
    this.#view = new DataView(this.#memory.buffer);
  }

  /** Table pages in use. */
  get pages(): number {
    return this.#pages;
  }

  /** The tables, to be loaded at `root`; a view, not a copy. */
  get bytes(): Uint8Array {
    return this.#memory.subarray(0, this.#pages * this.regime.pageSize);
  }

  /**
   * The word at a physical address inside the tables.
   * @throws MappingError BAD_TABLE if it lies elsewhere
   */
  read(address: number): bigint {
    return this.#view.getBigUint64(this.#offset(address), true);
  }

  /** @throws MappingError BAD_TABLE if the address is not inside the tables */
  write(address: number, word: bigint): void {
    this.#view.setBigUint64(this.#offset(address), word, true);
  }

  /**
   * Adds a zeroed table.
   * @returns its physical address
   * @throws MappingError TOO_LARGE at the set's capacity, BAD_RANGE
   */
  allocate(): number {
    const { pageSize } = this.regime;
    if (this.#pages === this.capacity) throw this.#full();
    const used = this.#pages * pageSize;
    if (used === this.#memory.length) {
      const grown = new Uint8Array(Math.min(2 * used, this.capacity * pageSize));
      grown.set(this.#memory);
      this.#memory = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#pages++;
    this.#checkReach();
    return this.root + used;
  }

  /**
   * TTBR1_EL1 for these tables, ASID 0: with 52-bit addresses bits 51 to 48 stand at [5:2].
   * @see Arm ARM D19.2.155, TTBR1_EL1; Linux 6.12 arch/arm64/include/asm/assembler.h, phys_to_ttbr
   */
  get ttbr(): bigint {
    if (this.regime.format === '48-bit') return addressField('48-bit', this.root);
    const address = BigInt(this.root);
    return (address & ((1n << 48n) - 1n)) | ((address >> 48n) << 2n);
  }

  #offset(address: number): number {
    const offset = address - this.root;
    if (!(offset >= 0 && offset < this.#pages * this.regime.pageSize) || offset % WORD !== 0) {
      throw new MappingError('BAD_TABLE', `physical ${address} is not in these tables`, { address });
    }
    return offset;
  }

  #checkReach(): void {
    const end = this.root + this.#pages * this.regime.pageSize;
    if (end > 2 ** outputBits(this.regime)) {
      throw new MappingError('BAD_RANGE', `tables up to physical ${end} are out of reach of the descriptors`, { end });
    }
  }

  #full(): MappingError {
    return new MappingError('TOO_LARGE', `more than ${this.capacity} table pages are needed`, {
      capacity: this.capacity,
    });
  }
}
