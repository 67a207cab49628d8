/** Throw-away certificates for TLS tests, made by openssl. */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { tempDir } from './temp-dir.ts';

export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  readonly ca: string;
  readonly server: KeyPair;
  readonly client: KeyPair;
}

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** An authority, a server of 127.0.0.1 and a client. */
export function makeCertificates(t: Pick<TestContext, 'after'>): Certificates {
  const authority = new CertificateAuthority(tempDir(t));
  return { ca: authority.ca, server: authority.issueServer('server'), client: authority.issueClient('client') };
}

export class CertificateAuthority {
  readonly #directory: string;
  readonly ca: string;

  /** Its files (`ca.crt`, and a `.crt` and a `.key` of each name) are kept in `directory`, which exists. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#openssl(
      'req',
      '-x509',
      ...CURVE,
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
      '-days',
      '2',
      '-subj',
      '/CN=test-ca',
    );
    this.ca = readFileSync(join(directory, 'ca.crt'), 'utf8');
  }

  issueServer(name: string): KeyPair {
    return this.#issue(name, { subject: `/CN=${name}`, extensions: 'subjectAltName=IP:127.0.0.1,DNS:localhost\n' });
  }

  /** `group`: in Kubernetes the organisation is the group of the user. */
  issueClient(name: string, group?: string): KeyPair {
    const subject = `${group === undefined ? '' : `/O=${group}`}/CN=${name}`;
    return this.#issue(name, { subject, extensions: 'extendedKeyUsage=clientAuth\n' });
  }

  #issue(name: string, { subject, extensions }: { subject: string; extensions: string }): KeyPair {
    writeFileSync(join(this.#directory, `${name}.ext`), extensions);
    this.#openssl('req', ...CURVE, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
    const authority = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
    const into = ['-days', '2', '-out', `${name}.crt`, '-extfile', `${name}.ext`];
    this.#openssl('x509', '-req', '-in', `${name}.csr`, ...authority, ...into);
    const read = (kind: string): string => readFileSync(join(this.#directory, `${name}.${kind}`), 'utf8');
    return { cert: read('crt'), key: read('key') };
  }

  #openssl(...words: string[]): void {
    execFileSync('openssl', words, { stdio: 'ignore', cwd: this.#directory });
  }
}
