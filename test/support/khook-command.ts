import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command as a user runs it: a process, its two streams and its exit code. */
export function khook(args: readonly string[], directory = process.cwd(), variables = {}): Promise<Ran> {
  return new Promise((done) => {
    const env = { PATH: process.env.PATH ?? '', HOME: directory, ...variables };
    const child = spawn(resolve('scripts/khook'), args, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const texts = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        texts[name] += text;
      });
    }
    child.once('close', (code) => done({ code, ...texts }));
  });
}
