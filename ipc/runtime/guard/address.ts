// Runs in the plugin's thread.
/** IP addresses in one spelling each. Written by hand: no prototype is asked, and what the system would read otherwise is refused. */

import { numberToString, stringIndexOf, stringSlice } from './primordials.ts';

/** `1.2.3.4`, or eight groups of IPv6 without abbreviation; an IPv4 address in IPv6 clothes is the IPv4 one. Null: no address. */
export function canonicalAddress(text: string): string | null {
  const zone = stringIndexOf(text, '%');
  const bare = zone === -1 ? text : stringSlice(text, 0, zone);
  if (stringIndexOf(bare, ':') === -1) {
    const bytes = zone === -1 ? readV4(bare) : null;
    return bytes === null ? null : v4Text(bytes);
  }
  const groups = readV6(bare);
  if (groups === null) return null;
  const inner = embeddedV4(groups);
  if (inner !== null) return v4Text(inner);
  let result = '';
  for (let index = 0; index < 8; index += 1)
    result += `${index === 0 ? '' : ':'}${numberToString(groups[index] as number, 16)}`;
  return result;
}

/** Where clouds tell an instance who it is, or lend it credentials: beside the link-local ones, those of Alibaba, Azure and Oracle. */
const METADATA: readonly string[] = ['100.100.100.200', '168.63.129.16', '192.0.0.192', 'fd20:ce:0:0:0:0:0:254'];

/** Of a canonical address: the machine itself, its link, everybody at once, no address at all, or a cloud's metadata service. */
export function isInner(address: string): boolean {
  for (let index = 0; index < METADATA.length; index += 1) if (METADATA[index] === address) return true;
  const v4 = readV4(address);
  if (v4 !== null) {
    const first = v4[0] as number;
    // 224 and above: multicast, of which this machine hears its own, and broadcast.
    return first === 0 || first === 127 || first >= 224 || (first === 169 && v4[1] === 254);
  }
  const groups = readV6(address);
  if (groups === null) return true;
  const first = groups[0] as number;
  // ::/96 (unspecified, loopback, IPv4-compatible), fe80::/10, ff00::/8, and fd00:ec2::/32, where EC2 has its services.
  if (isZero(groups, 0, 6)) return true;
  if (first >= 0xfe80 && first <= 0xfebf) return true;
  return first >= 0xff00 || (first === 0xfd00 && groups[1] === 0xec2);
}

/** ::ffff:a.b.c.d (mapped), ::ffff:0:a.b.c.d (translated) and 64:ff9b::a.b.c.d (NAT64). */
function embeddedV4(groups: readonly number[]): number[] | null {
  const isMapped = isZero(groups, 0, 5) && groups[5] === 0xffff;
  const isTranslated = isZero(groups, 0, 4) && groups[4] === 0xffff && groups[5] === 0;
  const isNat64 = groups[0] === 0x64 && groups[1] === 0xff9b && isZero(groups, 2, 6);
  if (!isMapped && !isTranslated && !isNat64) return null;
  const [high, low] = [groups[6] as number, groups[7] as number];
  return [high >> 8, high & 255, low >> 8, low & 255];
}

function isZero(groups: readonly number[], from: number, to: number): boolean {
  for (let index = from; index < to; index += 1) if (groups[index] !== 0) return false;
  return true;
}

function v4Text(bytes: readonly number[]): string {
  return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
}

/** Four decimal numbers without leading zeros: what inet_pton takes. */
function readV4(text: string): number[] | null {
  const bytes: [number, number, number, number] = [0, 0, 0, 0];
  let part = 0;
  let digits = 0;
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index] as string;
    if (char === '.') {
      if (digits === 0 || part === 3) return null;
      part += 1;
      digits = 0;
      continue;
    }
    const digit = digitOf(char);
    if (digit < 0 || digit > 9 || (digits > 0 && bytes[part] === 0)) return null;
    bytes[part] = (bytes[part] as number) * 10 + digit;
    digits += 1;
    if ((bytes[part] as number) > 255) return null;
  }
  return part === 3 && digits > 0 ? bytes : null;
}

function readV6(text: string): number[] | null {
  const groups: number[] = [0, 0, 0, 0, 0, 0, 0, 0];
  let count = 0;
  let gap = -1;
  let index = 0;
  if (text[0] === ':') {
    if (text[1] !== ':') return null;
    index = 1;
  }
  while (index < text.length) {
    if (text[index] === ':') {
      if (gap !== -1) return null;
      gap = count;
      index += 1;
      continue;
    }
    if (count === 8) return null;
    let value = 0;
    let digits = 0;
    const start = index;
    for (; index < text.length; index += 1) {
      const digit = digitOf(text[index] as string);
      if (digit < 0) break;
      value = value * 16 + digit;
      digits += 1;
      if (digits > 4) return null;
    }
    if (text[index] === '.') {
      const bytes = count <= 6 ? readV4(stringSlice(text, start)) : null;
      if (bytes === null) return null;
      groups[count] = ((bytes[0] as number) << 8) | (bytes[1] as number);
      groups[count + 1] = ((bytes[2] as number) << 8) | (bytes[3] as number);
      count += 2;
      break;
    }
    if (digits === 0) return null;
    groups[count] = value;
    count += 1;
    if (index === text.length) break;
    if (text[index] !== ':') return null;
    index += 1;
    if (index === text.length) return null;
  }
  if (gap === -1) return count === 8 ? groups : null;
  if (count === 8) return null;
  const tail = count - gap;
  for (let step = 0; step < tail; step += 1) {
    groups[7 - step] = groups[count - 1 - step] as number;
    if (7 - step !== count - 1 - step) groups[count - 1 - step] = 0;
  }
  return groups;
}

function digitOf(char: string): number {
  return stringIndexOf('0123456789abcdef', char >= 'A' && char <= 'F' ? (LOWER[char] as string) : char);
}

const LOWER: Readonly<Record<string, string>> = { A: 'a', B: 'b', C: 'c', D: 'd', E: 'e', F: 'f' };
