/** PLAN.json: the addresses that modules are to have, as recorded from a live system or a crash dump. */
import { parseVa, type Va } from '../address.js';
import { ModuleError } from '../errors.js';
import type { ModuleAddresses } from './loaded-module.js';
import type { RegionName, RegionScheme } from './loader-rule.js';
import { moduleName } from './module-file.js';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function bad(message: string): ModuleError {
  return new ModuleError('BAD_PLAN', message);
}

/**
 * Reads a plan: `{"modules":[{"name","memory":{"core":"0x..."},"percpu":"0x..."}]}`, in load order.
 * Checks names, regions of the kernel's scheme and addresses; not that blocks are disjoint.
 * @throws ModuleError BAD_PLAN, AddressError
 */
export function parsePlan(text: string, scheme: RegionScheme, pageSize: number): Map<string, ModuleAddresses> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new ModuleError('BAD_PLAN', `not JSON: ${(cause as Error).message}`, {}, { cause });
  }
  if (!isObject(document) || !Array.isArray(document.modules)) throw bad('no "modules" array');
  const plan = new Map<string, ModuleAddresses>();
  document.modules.forEach((entry: unknown, i) => {
    if (!isObject(entry) || typeof entry.name !== 'string' || !isObject(entry.memory))
      throw bad(`modules[${i}] has no "name" or no "memory"`);
    const name = moduleName(entry.name);
    if (plan.has(name)) throw bad(`module ${name} stands twice`);
    const memory = new Map<RegionName, Va>();
    for (const [region, value] of Object.entries(entry.memory)) {
      const known = scheme.regions.find((name) => name === region);
      if (!known) throw bad(`${name}: this kernel has no region "${region}", but ${scheme.regions.join(', ')}`);
      memory.set(known, address(value, `${name}: memory.${region}`, pageSize));
    }
    plan.set(name, { memory, ...(entry.percpu != null && { percpu: address(entry.percpu, `${name}: percpu`, 1) }) });
  });
  return plan;
}

function address(value: unknown, what: string, align: number): Va {
  if (typeof value !== 'string') throw bad(`${what} is no string`);
  const parsed = parseVa(value, what);
  if (parsed % align !== 0) throw bad(`${what} ${value} is not page aligned`);
  return parsed;
}
