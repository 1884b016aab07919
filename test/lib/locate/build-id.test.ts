import { describe, expect, it } from '@jest/globals';
import { buildIdsOf } from '../../../lib/locate/build-id.js';

const note = (id: Uint8Array, type = 3) =>
  Buffer.concat([Uint8Array.of(4, 0, 0, 0, 20, 0, 0, 0, type, 0, 0, 0), Buffer.from('GNU\0'), id]);
const FIRST = Buffer.from('0f1c3f0d'.repeat(5), 'hex');
const SECOND = Buffer.alloc(20, 0xab);

describe('buildIdsOf', () => {
  it('finds all, wherever they are, and no other notes', () => {
    const image = Buffer.concat([Buffer.alloc(52), note(FIRST), note(SECOND, 1), Buffer.alloc(3), note(SECOND)]);
    expect(buildIdsOf(image)).toEqual(['0f1c3f0d'.repeat(5), 'ab'.repeat(20)]);
    expect(buildIdsOf(Buffer.alloc(64))).toEqual([]);
  });

  it('passes over one that the end cuts off', () => {
    expect(buildIdsOf(note(FIRST).subarray(0, 35))).toEqual([]);
    expect(buildIdsOf(note(FIRST).subarray(0, 36))).toHaveLength(1);
  });
});
