/**
 * What is booted: kernels, CPUs, how many seeds and modules. Kernels are named as scripts/fetch-kernels.sh names them.
 *
 * `ci` is what every change is held to: both ends of the supported distributions, an erratum, and the wide address
 * space. `full` is everything, with all modules of a kernel in one boot.
 */

export interface MatrixRow {
  readonly kernel: string;
  /** As QEMU takes it. */
  readonly cpu: string;
  readonly seeds: number;
  readonly modules: number;
}

/** A Cortex-A53 has erratum 843419; `max` has LPA2, with which 6.12 runs with 52-bit addresses. */
const A57 = 'cortex-a57';
const A53 = 'cortex-a53';
const MAX = 'max,pauth-impdef=on';
const N1 = 'neoverse-n1';

const ALL = Number.POSITIVE_INFINITY;

export const MATRICES: Readonly<Record<'ci' | 'full', readonly MatrixRow[]>> = {
  ci: [
    { kernel: '6.1', cpu: A57, seeds: 3, modules: 100 },
    { kernel: '6.12', cpu: A57, seeds: 3, modules: 100 },
    { kernel: '6.1', cpu: A53, seeds: 1, modules: 60 },
    { kernel: '6.12', cpu: MAX, seeds: 1, modules: 60 },
  ],
  full: [
    { kernel: '5.10', cpu: A57, seeds: 10, modules: 100 },
    { kernel: '5.10', cpu: A53, seeds: 1, modules: ALL },
    { kernel: '6.1', cpu: A57, seeds: 10, modules: 100 },
    { kernel: '6.1', cpu: A57, seeds: 1, modules: ALL },
    { kernel: '6.1', cpu: A53, seeds: 1, modules: ALL },
    { kernel: '6.1-cloud', cpu: A57, seeds: 3, modules: ALL },
    { kernel: '6.12', cpu: A57, seeds: 10, modules: 100 },
    { kernel: '6.12', cpu: A57, seeds: 1, modules: ALL },
    { kernel: '6.12', cpu: MAX, seeds: 3, modules: 100 },
    { kernel: '6.12-16k', cpu: N1, seeds: 3, modules: 100 },
    { kernel: '6.12-16k', cpu: MAX, seeds: 1, modules: ALL },
    { kernel: '6.17', cpu: A57, seeds: 3, modules: 100 },
    { kernel: '7.3', cpu: A57, seeds: 10, modules: 100 },
    { kernel: '7.3', cpu: A57, seeds: 1, modules: ALL },
    { kernel: '7.3', cpu: MAX, seeds: 3, modules: 100 },
  ],
};

/** A CPU that has the kernel's page size: a Cortex-A57 has no pages of 16K. */
export function usualCpu(pageSize: number): string {
  return pageSize === 16384 ? N1 : A57;
}
