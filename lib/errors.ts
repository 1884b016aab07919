/**
 * The errors this library throws: one class per subject, each with a `code` from a closed set.
 *
 * A caller decides by `code` and reads the facts from `details`; `message` is one line for a person and
 * never holds the file's name, which only the caller knows.
 */

/** Facts about an error: section, offset, symbol, value ... whatever the code calls for. */
export type ErrorDetails = Readonly<Record<string, string | number | bigint | readonly string[]>>;

/** Base of every error thrown on purpose; anything else that escapes is a bug in kaslrkit. */
export abstract class KaslrkitError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly details: ErrorDetails;

  constructor(code: Code, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.details = details;
  }
}

/** A number that is no 64-bit value, or no address the architecture can hold. */
export class AddressError extends KaslrkitError<'ADDRESS_SYNTAX' | 'ADDRESS_RANGE'> {}

/** An ELF file that breaks the gABI or is not for this machine. */
export class ElfFormatError extends KaslrkitError<
  | 'NOT_ELF'
  | 'WRONG_CLASS'
  | 'WRONG_ENDIAN'
  | 'WRONG_MACHINE'
  | 'WRONG_TYPE'
  | 'TRUNCATED'
  | 'BAD_SECTION'
  | 'BAD_SYMBOL'
> {}

/** A kernel image, its container or one of its built-in tables that cannot be used. */
export class ImageFormatError extends KaslrkitError<
  | 'NOT_A_KERNEL'
  | 'WRONG_ENDIAN'
  | 'TRUNCATED'
  | 'BAD_CONTAINER'
  | 'TOO_LARGE'
  | 'NOT_RELOCATABLE'
  | 'BAD_TABLE'
  | 'NO_VERSION'
  | 'NO_SYMBOLS'
> {}

/** A relocation that cannot be applied. */
export class RelocationError extends KaslrkitError<
  'UNKNOWN_TYPE' | 'OUT_OF_RANGE' | 'BAD_PLACE' | 'BAD_SYMBOL' | 'OVERLAP'
> {}

/** A PLT that is missing, too small or out of reach, or of a kernel that had none. */
export class PltError extends KaslrkitError<'MISSING_SECTION' | 'EXHAUSTED' | 'UNREACHABLE' | 'UNKNOWN_VERSION'> {}

/** A placement that the rules of an era do not allow. */
export class PlacementError extends KaslrkitError<
  'UNKNOWN_ERA' | 'BAD_SEED' | 'BAD_LAYOUT' | 'MISSING_INPUT' | 'REGION_FULL'
> {}

/** A module that the kernel would refuse to load. */
export class ModuleError extends KaslrkitError<
  | 'NOT_A_MODULE'
  | 'WRONG_VERMAGIC'
  | 'LIVEPATCH'
  | 'UNDEFINED_SYMBOLS'
  | 'BAD_PLAN'
  | 'BAD_LAYOUT'
  | 'DEPENDENCY_CYCLE'
  | 'ALREADY_LOADED'
> {}

/** A mapping that the translation tables cannot hold or the kernel would refuse. */
export class MappingError extends KaslrkitError<
  'BAD_REGIME' | 'BAD_RANGE' | 'BAD_TABLE' | 'MISALIGNED' | 'CONFLICT' | 'TOO_LARGE' | 'MISSING_SYMBOL' | 'UNKNOWN_ERA'
> {}

/** A log, memory dump or symbol that does not tell where a kernel ran. */
export class LocateError extends KaslrkitError<'NO_OFFSET' | 'NO_IMAGE' | 'BAD_DUMP' | 'AMBIGUOUS_SYMBOL'> {}

/** Parts of a sweep that do not make one. */
export class SweepError extends KaslrkitError<'BAD_SHARD'> {}
