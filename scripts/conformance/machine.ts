/**
 * QEMU's `virt` machine, stopped before its first instruction, with its GDB stub connected.
 *
 * QEMU connects to a socket of ours, so that there is nothing to poll for: once it has, it is ready. TCG alone is
 * used: a hypervisor has few hardware breakpoints and only its host's CPU.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { UsageError } from '../../cli/output/error.js';
import { GdbClient } from './gdb-client.js';

export const QEMU = 'qemu-system-aarch64';

/** Files in the directory of a boot. */
const SOCKET = 'gdb';
const CONSOLE = 'console';

const START_TIMEOUT = 30_000;
/** How much of the console an error shows. */
const CONSOLE_TAIL = 2000;

export interface MachineOptions {
  readonly cpu: string;
  /** MiB. */
  readonly memory: number;
  /** For the files a boot needs. */
  readonly directory: string;
}

export interface BootFiles {
  /** The raw Image. */
  readonly kernel: string;
  readonly deviceTree: string;
  readonly initramfs: string;
}

/** QEMU is missing or did not start. */
export class MachineError extends UsageError {}

function machineArguments({ cpu, memory }: MachineOptions, extra = ''): string[] {
  const fixed = '-accel tcg -nodefaults -display none'.split(' ');
  return ['-machine', `virt${extra}`, '-cpu', cpu, '-m', `${memory}`, ...fixed];
}

/** The kernel's output to a file, a machine that stops for good where it would end, and the GDB stub. */
function bootArguments({ directory }: MachineOptions, { kernel, deviceTree, initramfs }: BootFiles): string[] {
  const commandLine = 'console=ttyAMA0 loglevel=4 panic=-1';
  const files = ['-kernel', kernel, '-dtb', deviceTree, '-initrd', initramfs, '-append', commandLine];
  const stub = ['-chardev', `socket,id=gdb,path=${join(directory, SOCKET)}`, '-gdb', 'chardev:gdb', '-S'];
  return [...files, '-serial', `file:${join(directory, CONSOLE)}`, '-no-reboot', '-no-shutdown', ...stub];
}

/** First line of `qemu-system-aarch64 --version`. @throws MachineError if QEMU is not installed */
export async function qemuVersion(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(QEMU, ['--version']);
    return stdout.split('\n')[0]!;
  } catch (error) {
    throw startFailure(error as Error);
  }
}

/** The device tree that QEMU makes for its machine. @throws MachineError */
export async function dumpDeviceTree(options: MachineOptions): Promise<Uint8Array> {
  const file = join(options.directory, 'qemu.dtb');
  try {
    await promisify(execFile)(QEMU, machineArguments(options, `,dumpdtb=${file}`));
  } catch (error) {
    throw startFailure(error as Error & { stderr?: string });
  }
  return readFile(file);
}

function startFailure(error: Error & { code?: unknown; stderr?: string }): MachineError {
  if (error.code === 'ENOENT') {
    return new MachineError(`${QEMU} is missing; on Debian and Ubuntu: apt-get install qemu-system-arm`);
  }
  const reason = error.stderr?.trim().split('\n').at(-1);
  return new MachineError(`QEMU: ${reason || error.message}`);
}

/** Whatever ends this process must end QEMU, too, which would run on without a debugger. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const qemu of running) qemu.kill('SIGKILL');
});

export class Machine {
  readonly gdb: GdbClient;
  readonly #qemu: ChildProcess;
  readonly #console: string;

  private constructor(gdb: GdbClient, qemu: ChildProcess, console: string) {
    this.gdb = gdb;
    this.#qemu = qemu;
    this.#console = console;
  }

  /** Starts QEMU; nothing has run when this returns. A machine that is switched off or panics stops. @throws MachineError */
  static async start(options: MachineOptions, files: BootFiles): Promise<Machine> {
    const server = createServer();
    const socket = join(options.directory, SOCKET);
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve));
    const connected = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const qemu = spawn(QEMU, [...machineArguments(options), ...bootArguments(options, files)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    running.add(qemu);
    qemu.once('exit', () => running.delete(qemu));
    try {
      const stream = await Promise.race([connected, ended(qemu), timeLimit()]);
      return new Machine(await GdbClient.connect(stream), qemu, join(options.directory, CONSOLE));
    } catch (error) {
      qemu.kill('SIGKILL');
      throw error;
    } finally {
      server.close();
    }
  }

  /** The last lines that the kernel printed. */
  async consoleTail(): Promise<string> {
    return (await readFile(this.#console, 'latin1').catch(() => '')).slice(-CONSOLE_TAIL);
  }

  /** Ends QEMU, if it has not ended by itself. */
  async stop(): Promise<void> {
    if (this.#qemu.exitCode !== null || this.#qemu.signalCode !== null) return;
    const exited = new Promise((resolve) => this.#qemu.once('exit', resolve));
    this.#qemu.kill('SIGKILL');
    await exited;
  }
}

/** Rejects when a process ends that should have stayed. */
function ended(qemu: ChildProcess): Promise<never> {
  let stderr = '';
  qemu.stderr?.on('data', (chunk: Uint8Array) => {
    stderr += Buffer.from(chunk).toString();
  });
  return new Promise((_, reject) => {
    qemu.once('error', (error) => reject(startFailure(error)));
    qemu.once('exit', (code) => reject(startFailure(Object.assign(new Error(`exit status ${code}`), { stderr }))));
  });
}

async function timeLimit(): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, START_TIMEOUT).unref());
  throw new MachineError(`QEMU did not connect within ${START_TIMEOUT / 1000} s`);
}
