/**
 * What the allocator of module memory says.
 * @see Linux 6.1 mm/vmalloc.c, alloc_vmap_area(), __vmalloc_node_range(); 6.12 mm/execmem.c
 */
import type { KernelVersion } from '../kaslr/era.js';
import type { ExplainContext, Pattern, Reading } from './explanation.js';
import { isFrom } from './module-rule.js';

/** Since when 2 GiB are for modules alone. */
const MODULES_ALONE: KernelVersion = { major: 6, minor: 5 };

function fullRemedy(version: KernelVersion | undefined): string {
  const others = 'ioremap and vmalloc share the fallback range with them (/proc/vmallocinfo says who)';
  const tidy = 'Unload what is not needed (/proc/modules), strip debug sections of modules';
  const isAlone = version && isFrom(version, MODULES_ALONE);
  const what = isAlone
    ? `${tidy}. This kernel keeps 2 GiB for modules alone: /proc/vmallocinfo and /proc/modules say what fills them; BPF programs and kprobes lie elsewhere.`
    : `${tidy}, or boot a kernel from 6.5 on, which keeps 2 GiB for modules alone; ${version ? 'in this one' : 'before'}, ${others}.`;
  return `${what} vmalloc=SIZE, which the message may propose, does nothing on arm64.`;
}

function full(size: number, { version }: ExplainContext, what: string): Reading {
  return {
    meaning: `${what} If load_module() stands in the call trace behind it, this was a module's memory: the range where modules may lie is full, or too fragmented for one block of this size.`,
    remedy: fullRemedy(version),
    value: size,
    isAboutDistance: true,
  };
}

export const MEMORY_PATTERNS: readonly Pattern[] = [
  {
    id: 'vmap-allocation',
    keyword: 'vmap allocation',
    expression: /vmap allocation for size (\d{1,15}) failed/,
    read: ([, size], context) =>
      full(
        Number(size),
        context,
        `No hole of ${size} bytes of address space was found; that counts a guard page behind the block.`,
      ),
  },
  {
    id: 'address-range',
    keyword: 'vmalloc_node_range',
    expression:
      /vmalloc_node_range for size (\d{1,15}) failed: Address range restricted to (0x[0-9a-f]{1,16}) - (0x[0-9a-f]{1,16})/,
    read: ([, size, low, high], context) =>
      full(
        Number(size),
        context,
        `No hole of ${size} bytes of address space was found between ${low} and ${high}; that counts a guard page behind the block.`,
      ),
  },
  {
    id: 'vmalloc-address-space',
    keyword: 'vm_struct',
    expression: /vmalloc error: size (\d{1,15}), (?:align 0x[0-9a-f]+, )?vm_struct allocation failed/,
    read: ([, size], context) =>
      full(Number(size), context, `No address space was found for a block of ${size} bytes (without its guard page).`),
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
    read: (_, { version }) => ({
      meaning:
        'Memory for code (a module, a BPF program, kprobes) was not to be had, in the range near the kernel nor in the fallback.',
      // No kernel before 6.10 says so.
      remedy: fullRemedy(version ?? MODULES_ALONE),
      isAboutDistance: true,
    }),
  },
];
