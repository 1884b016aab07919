/**
 * What the allocator of module memory says.
 * @see Linux 6.1 mm/vmalloc.c, alloc_vmap_area(), __vmalloc_node_range(); 6.12 mm/execmem.c
 */
import type { Pattern, Reading } from './explanation.js';

const FULL_REMEDY =
  'Unload what is not needed (/proc/modules), strip debug sections of modules, or boot a kernel from 6.5 on, which keeps 2 GiB for modules alone; before, ioremap and vmalloc share the fallback range with them (/proc/vmallocinfo says who). vmalloc=SIZE, which the message proposes, does nothing on arm64.';

function full(size: number, what: string): Reading {
  return {
    meaning: `${what} If load_module() stands in the call trace behind it, this was a module's memory: the range where modules may lie is full, or too fragmented for one block of this size.`,
    remedy: FULL_REMEDY,
    value: size,
    isAboutDistance: true,
  };
}

export const MEMORY_PATTERNS: readonly Pattern[] = [
  {
    id: 'vmap-allocation',
    keyword: 'vmap allocation',
    expression: /vmap allocation for size (\d{1,15}) failed/,
    read: ([, size]) =>
      full(
        Number(size),
        `No hole of ${size} bytes of address space was found; that counts a guard page behind the block.`,
      ),
  },
  {
    id: 'address-range',
    keyword: 'vmalloc_node_range',
    expression:
      /vmalloc_node_range for size (\d{1,15}) failed: Address range restricted to (0x[0-9a-f]{1,16}) - (0x[0-9a-f]{1,16})/,
    read: ([, size, low, high]) =>
      full(
        Number(size),
        `No hole of ${size} bytes of address space was found between ${low} and ${high}; that counts a guard page behind the block.`,
      ),
  },
  {
    id: 'vmalloc-address-space',
    keyword: 'vm_struct',
    expression: /vmalloc error: size (\d{1,15}), (?:align 0x[0-9a-f]+, )?vm_struct allocation failed/,
    read: ([, size]) =>
      full(Number(size), `No address space was found for a block of ${size} bytes (without its guard page).`),
  },
  {
    id: 'vmalloc-memory',
    keyword: 'vmalloc',
    expression:
      /vmalloc(?: error: size (\d{1,15}), (?:page order \d+, )?(?:exceeds total pages|failed to)|: allocation failure[:,] (?:allocated \d+ of )?(\d{1,15}) bytes)/,
    read: ([, size, older]) => ({
      meaning:
        'Memory itself was short, not address space: where the kernel and its modules lie has nothing to do with it. Older kernels (5.10) print "allocation failure" for either; a line on vmap allocation before it means address space.',
      remedy: 'Look at the memory statistics that follow the message.',
      value: Number(size ?? older),
    }),
  },
  {
    id: 'execmem',
    keyword: 'execmem',
    expression: /execmem: unable to allocate memory/i,
    read: () => ({
      meaning:
        'Memory for code (a module, a BPF program, kprobes) was not to be had, in the range near the kernel nor in the fallback.',
      remedy: FULL_REMEDY,
      isAboutDistance: true,
    }),
  },
];
