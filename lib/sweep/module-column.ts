/** All that a sampled boot needs of a module: branches, exports, and how much memory it takes. Plain data, so that threads can hand it on. */
import type { PreparedModule } from '../module/load.js';
import { type BranchColumn, branchColumn, footprintsOf } from './branch-column.js';
import { type ExportColumn, exportColumn } from './export-column.js';
import { type SkippedSlots, skippedSlots } from './slot-count.js';

export interface ModuleColumn {
  readonly name: string;
  /** Names of the modules to load before. */
  readonly depends: readonly string[];
  /** PLT entries that the kernel reserves, core and init together. */
  readonly reserved: number;
  /** Bytes of each region, in the order of allocation; 0: not allocated. */
  readonly sizes: readonly number[];
  readonly branches: BranchColumn;
  readonly exports: ExportColumn;
  readonly skipped: SkippedSlots | undefined;
}

/**
 * @param kernelExport the offset from `_text` of an export of the kernel
 * @throws as `branchColumn` and `footprintsOf`
 */
export function moduleColumn(
  prepared: PreparedModule,
  kernelExport: (name: string) => number | undefined,
): ModuleColumn {
  footprintsOf(prepared);
  const { file, frobbed, layout } = prepared;
  return {
    name: file.name,
    depends: file.modinfo.depends.map((name) => name.replaceAll('-', '_')),
    reserved: frobbed.reserved.core + frobbed.reserved.init,
    sizes: [...layout.sizes.values()],
    branches: branchColumn(prepared, kernelExport),
    exports: exportColumn(prepared),
    skipped: skippedSlots(prepared),
  };
}
