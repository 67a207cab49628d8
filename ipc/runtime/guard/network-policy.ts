// Runs in the plugin's thread.
/** What of the network a plugin was granted, asked with the addresses that the system is about to use. */

import type { NetworkPolicy } from '../../control.ts';
import { canonicalAddress, isInner } from './address.ts';
import { SafeMap, SafeSet, stringIndexOf, stringLastIndexOf, stringSlice, toLowerCase } from './primordials.ts';

/** Addresses of granted names that are remembered; the oldest give way. */
const MAX_RESOLVED = 1_024;

export function isAnyGranted({ any, connect, listen }: NetworkPolicy): boolean {
  return any || connect.length + listen.length > 0;
}

export class NetworkGrants {
  readonly #any: boolean;
  readonly #listen = new SafeSet<number>();
  /** `address port` */
  readonly #targets = new SafeSet<string>();
  readonly #names = new SafeMap<string, SafeSet<number>>();
  readonly #resolved = new SafeSet<string>();
  readonly #order = new SafeMap<number, string>();
  #next = 0;

  constructor(policy: NetworkPolicy) {
    this.#any = policy.any;
    for (const port of policy.listen) this.#listen.add(port);
    for (const target of policy.connect) {
      const colon = stringLastIndexOf(target, ':');
      const host = bare(stringSlice(target, 0, colon));
      const port = Number(stringSlice(target, colon + 1));
      const address = canonicalAddress(host);
      if (address !== null) this.#targets.add(`${address} ${port}`);
      else this.#portsOf(host).add(port);
    }
  }

  mayListen(port: number): boolean {
    return this.#listen.has(port);
  }

  mayConnect(text: string, port: number): boolean {
    const address = canonicalAddress(text);
    if (address === null) return false;
    const target = `${address} ${port}`;
    return this.#targets.has(target) || this.#resolved.has(target) || (this.#any && !isInner(address));
  }

  /** Whether the addresses of a name may be asked for. */
  mayLookUp(name: string): boolean {
    return (
      this.#any ||
      this.#names.has(canonicalName(name)) ||
      (this.#listen.size > 0 && canonicalName(name) === 'localhost')
    );
  }

  /** A granted name has this address: its ports may be connected to there. The caller vouches that it is no invention. */
  learn(name: string, text: string): void {
    const ports = this.#names.get(canonicalName(name));
    const address = canonicalAddress(text);
    if (ports === undefined || address === null) return;
    ports.forEach((port) => {
      const target = `${address} ${port}`;
      if (this.#resolved.has(target)) return;
      this.#resolved.add(target);
      const old = this.#order.get(this.#next);
      if (old !== undefined) this.#resolved.delete(old);
      this.#order.set(this.#next, target);
      this.#next = (this.#next + 1) % MAX_RESOLVED;
    });
  }

  #portsOf(host: string): SafeSet<number> {
    const name = canonicalName(host);
    const ports = this.#names.get(name) ?? new SafeSet<number>();
    this.#names.set(name, ports);
    return ports;
  }
}

/** As it would be written in plugins.yaml. */
export function canonicalTarget(text: string, port: number): string {
  const address = canonicalAddress(text) ?? text;
  return stringIndexOf(address, ':') === -1 ? `${address}:${port}` : `[${address}]:${port}`;
}

function bare(host: string): string {
  return host[0] === '[' ? stringSlice(host, 1, -1) : host;
}

function canonicalName(name: string): string {
  const lower = toLowerCase(name);
  return lower[lower.length - 1] === '.' ? stringSlice(lower, 0, -1) : lower;
}
