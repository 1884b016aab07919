/** The public face of kaslrkit: everything here is stable, everything else may move. */
export * from './address.js';
export { type ElfFile, findSection, openElf, type Section, type Segment } from './elf/file.js';
export { openRelaTable, RelaTable } from './elf/rela-table.js';
export { openSymbolTable, SymbolTable } from './elf/symbol-table.js';
export * from './errors.js';
export type { SymbolColumns } from './image/kallsyms.js';
export { type Kernel, type KernelOptions, openKernel } from './image/kernel.js';
export { type KernelConfig, parseKernelConfig } from './image/kernel-config.js';
export { placedElf } from './image/placed-elf.js';
export { ERAS, type Era, type EraKey, eraByKey, eraOfVersion, type KernelVersion } from './kaslr/era.js';
export { type Geometry, geometryOf, type VaLayout, vaBitsMinOf, vaLayout } from './kaslr/layout.js';
export { chooseRegions, type ModuleRegion, type ModuleWindow, moduleWindows } from './kaslr/module-region.js';
export { type Chosen, type Machine, type Placement, place } from './kaslr/place.js';
export { relocateImage } from './reloc/relative.js';
export type { RelocatableImage, RelocationTables } from './reloc/relative-place.js';
