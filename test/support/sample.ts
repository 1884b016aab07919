/** The sample kernels of samples/: three styles, each as vmlinux and as the Image made of it. */
import { readFileSync } from 'node:fs';

export const SAMPLE_KERNELS = [
  { style: '4.6', vmlinux: '4.6/vmlinux', image: '4.6/Image' },
  { style: '6.1', vmlinux: '6.1/vmlinux', image: '6.1/Image' },
  { style: '6.12', vmlinux: '6.12/vmlinux', image: '6.12/Image.gz' },
] as const;

export function samplePath(name: string): string {
  return new URL(`../../samples/bin/${name}`, import.meta.url).pathname;
}

export function readSample(name: string): Buffer {
  return readFileSync(samplePath(name));
}
