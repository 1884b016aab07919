/** A report of an invented kernel, small and with every part. */
import type { Boot, ReportData } from '../../../lib/report/report-data.js';

const boot = (seed: string, text: string, base: string, end: string): Boot => ({
  seed,
  moduleSeed: '0x0000000000000001',
  text,
  area: { start: text, end: text },
  windows: [{ kind: 'plt', lowest: base, end }],
  regions: [{ kind: 'plt', base, end }],
});

export function reportData(): ReportData {
  return {
    generator: 'kaslrkit 0.0.0',
    kernel: {
      file: 'vmlinuz',
      release: '6.12.0-test',
      format: 'image',
      compression: 'none',
      era: '6.9',
      pageSize: 4096,
      vaBits: 48,
      vaBitsActual: 48,
      linkBase: '0xffff800080000000',
      imageSize: 0x200000,
      relocations: { rela: 7, relr: 100 },
      exports: 12,
      phys: '0x0000000040200000',
      fullRegion: true,
      hasConfig: false,
    },
    chosen: 'seed',
    boots: [
      boot('0x0000000000000001', '0xffffc00000000000', '0xffffbfff90000000', '0xffffc00010000000'),
      boot('0x0000000000000002', '0xffffd00000000000', '0xffffcfffa0000000', '0xffffd00020000000'),
    ],
    stream: 'test',
    space: [
      { name: 'linear map', start: '0xffff000000000000', end: '0xffff800000000000' },
      { name: 'vmalloc', start: '0xffff800080000000', end: '0xfffffdffbf800000' },
    ],
    segments: [
      { name: 'text', start: 0x10000, end: 0x100000 },
      { name: 'data', start: 0x100000, end: 0x200000 },
    ],
    modules: {
      names: ['alpha', 'beta'],
      blocks: [
        { name: 'text', sizes: [0x3000, 0x1001] },
        { name: 'data', sizes: [0x800, 0] },
      ],
      branches: [40, 3],
      reserved: [9, 1],
      refused: [{ name: 'gamma', reason: 'no symbol table' }],
    },
    plts: {
      min: [0, 0],
      max: [8, 1],
      mean: [4.5, 0.94],
      none: [0.06, 0.06],
      distributions: [
        [0, 1, 600, 0, 0, 0, 0, 0, 0, 0, 9400],
        [0, 1, 600, 9400],
      ],
      total: { min: 0, max: 9, mean: 5.4, none: 0.06, distribution: [0, 1, 600, 0, 0, 0, 0, 0, 0, 0, 0, 9400] },
      byDistance: { lowest: -(2 ** 31), highest: 0, totals: [9, 9, 9, 0] },
      used: {
        totals: [9, 0],
        pattern: [0, 1],
        patterns: [
          [8, 1],
          [0, 0],
        ],
      },
    },
    entropy: [{ known: 'nothing', unknown: 'kernel', slots: 33554432, bits: 25 }],
    mapping: [
      {
        stage: 'final',
        segments: [{ name: 'text', start: 0x10000, end: 0x100000, permissions: 'RO X' }],
        runs: [
          {
            offset: 0x10000,
            phys: '0x0000000040210000',
            entrySize: 4096,
            count: 240,
            contiguous: true,
            permissions: 'RO X',
          },
        ],
        tables: 3,
      },
    ],
    findings: {
      rules: [{ id: 'got', kind: 'got', kernels: 'every one', remedy: 'compile with -fno-pic' }],
      models: { small: 1, large: 1 },
      rows: [
        {
          module: 'alpha',
          severity: 'error',
          rule: 0,
          section: '.text',
          offset: 16,
          message: 'goes through a table',
          count: 2,
        },
      ],
    },
  };
}
