/** Ranges of addresses as text. */
import { formatVa, va } from '../../address.js';

/** The end of the address space, 2^64, is no address. */
export function hexAddress(address: number): string {
  return address >= 0 ? '0x10000000000000000' : formatVa(va(address));
}

/** `[start, end)` */
export function hexRange(start: number, end: number): string {
  return `${hexAddress(start)} \u2013 ${hexAddress(end)}`;
}
