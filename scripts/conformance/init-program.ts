/**
 * The first and only process of a conformance boot: loads modules in order with finit_module(2), then calls reboot(2).
 *
 * 28 instructions by hand instead of a busybox for another architecture: nothing to download, no process for each
 * module, and a fixed last system call where the harness can look at the machine once everything is loaded.
 */

/** Words of the program and what they are; the paths follow, each ended by NUL, the last by an empty one. */
const PROGRAM: readonly (readonly [word: number, instruction: string])[] = [
  [0x100003b3, 'start:   adr  x19, paths'],
  [0x39400260, 'next:    ldrb w0, [x19]'],
  [0x34000220, '         cbz  w0, done'],
  [0x92800c60, '         mov  x0, #-100          // AT_FDCWD'],
  [0xaa1303e1, '         mov  x1, x19'],
  [0xd2800002, '         mov  x2, #0             // O_RDONLY'],
  [0xd2800708, '         mov  x8, #56            // openat'],
  [0xd4000001, '         svc  #0'],
  [0xaa0003f4, '         mov  x20, x0'],
  [0x10000261, '         adr  x1, empty          // module parameters'],
  [0xd2800002, '         mov  x2, #0'],
  [0xd2802228, '         mov  x8, #273           // finit_module'],
  [0xd4000001, '         svc  #0'],
  [0xaa1403e0, '         mov  x0, x20'],
  [0xd2800728, '         mov  x8, #57            // close'],
  [0xd4000001, '         svc  #0'],
  [0x38401660, 'skip:    ldrb w0, [x19], #1'],
  [0x35ffffe0, '         cbnz w0, skip'],
  [0x17ffffef, '         b    next'],
  [0x529bd5a0, 'done:    mov  w0, #0xdead'],
  [0x72bfdc20, '         movk w0, #0xfee1, lsl 16 // LINUX_REBOOT_MAGIC1'],
  [0x52832d21, '         mov  w1, #0x1969'],
  [0x72a50241, '         movk w1, #0x2812, lsl 16 // LINUX_REBOOT_MAGIC2'],
  [0x529fdb82, '         mov  w2, #0xfedc'],
  [0x72a86422, '         movk w2, #0x4321, lsl 16 // LINUX_REBOOT_CMD_POWER_OFF'],
  [0xd28011c8, '         mov  x8, #142           // reboot'],
  [0xd4000001, '         svc  #0'],
  [0x17fffff8, '         b    done'],
  [0x00000000, 'empty:   .word 0'],
];

/** A multiple of every page size. */
const LOAD_ADDRESS = 0x400000n;
const HEADER_SIZE = 64 + 56;
const EM_AARCH64 = 183;
const PF_R_X = 5;

/** The program as an ELF executable whose one segment is the whole file. */
export function initProgram(paths: readonly string[]): Uint8Array {
  const text = Buffer.from([...paths, ''].map((path) => `${path}\0`).join(''), 'latin1');
  const file = Buffer.alloc(HEADER_SIZE + PROGRAM.length * 4 + text.length);
  // e_ident: ELFCLASS64, ELFDATA2LSB, EV_CURRENT.
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeUInt16LE(2, 16); // e_type ET_EXEC
  file.writeUInt16LE(EM_AARCH64, 18);
  file.writeUInt32LE(1, 20); // e_version
  file.writeBigUInt64LE(LOAD_ADDRESS + BigInt(HEADER_SIZE), 24); // e_entry
  file.writeBigUInt64LE(64n, 32); // e_phoff
  file.writeUInt16LE(64, 52); // e_ehsize
  file.writeUInt16LE(56, 54); // e_phentsize
  file.writeUInt16LE(1, 56); // e_phnum
  file.writeUInt32LE(1, 64); // p_type PT_LOAD
  file.writeUInt32LE(PF_R_X, 68);
  file.writeBigUInt64LE(LOAD_ADDRESS, 80); // p_vaddr
  file.writeBigUInt64LE(LOAD_ADDRESS, 88); // p_paddr
  file.writeBigUInt64LE(BigInt(file.length), 96); // p_filesz
  file.writeBigUInt64LE(BigInt(file.length), 104); // p_memsz
  file.writeBigUInt64LE(0x10000n, 112); // p_align
  PROGRAM.forEach(([word], i) => {
    file.writeUInt32LE(word, HEADER_SIZE + 4 * i);
  });
  file.set(text, HEADER_SIZE + PROGRAM.length * 4);
  return file;
}
