/** The key that a cluster signs the tokens of its service accounts with. */

import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export class TokenSigner {
  readonly #key: KeyObject;
  readonly keyFile: string;

  constructor(directory: string) {
    this.#key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    this.keyFile = join(directory, 'tokens.key');
    writeFileSync(this.keyFile, this.#key.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  }

  /** A token as the API server issues it, with claims of one's own: it gives out none that expires within ten minutes. */
  sign(claims: Readonly<Record<string, unknown>>): string {
    const der = createPublicKey(this.#key).export({ type: 'spki', format: 'der' });
    const kid = createHash('sha256').update(der).digest('base64url');
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${encode({ alg: 'ES256', kid })}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(text), { key: this.#key, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  }
}
