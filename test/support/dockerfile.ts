/** deploy/Dockerfile as a test reads it: what the image is made of, and how it is started. */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export interface Image {
  /** Paths of the repository that are copied, each to its place below /opt/khook. */
  readonly copies: readonly (readonly [from: string, to: string])[];
  /** The command that installs the dependencies. */
  readonly install: readonly string[];
  readonly entrypoint: readonly string[];
  readonly healthCheck: readonly string[];
  readonly user: number;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
}

export function readDockerfile(): Image {
  const text = readFileSync(resolve(import.meta.dirname, '../../deploy/Dockerfile'), 'utf8');
  const lines = text.replaceAll(/\\\n\s*/g, ' ').split('\n');
  const all = (word: string): string[] =>
    lines.filter((line) => line.trimStart().startsWith(`${word} `)).map((line) => line.trim().slice(word.length + 1));
  const array = (written = ''): string[] => JSON.parse(written.slice(written.indexOf('["'))) as string[];
  return {
    copies: all('COPY')
      .filter((copy) => !copy.startsWith('--from'))
      .flatMap((copy) => {
        const paths = copy.split(' ');
        const to = paths.pop() ?? '';
        return paths.map((from) => [from, /\/$/.test(to) ? `${to}${from.split('/').at(-1)}` : to] as const);
      }),
    install: array(all('RUN').find((run) => run.includes('npm'))),
    entrypoint: array(all('ENTRYPOINT')[0]),
    healthCheck: array(all('HEALTHCHECK')[0]),
    workdir: all('WORKDIR').at(-1) ?? '/',
    user: Number(all('USER')[0]?.split(':')[0]),
    env: Object.fromEntries(all('ENV').flatMap((line) => line.split(' ').map((pair) => pair.split('=')))),
  };
}
