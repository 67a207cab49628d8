/** Ports that khook would want, where none answers: whether somebody has them, and who. */

import { createConnection } from 'node:net';
import { type Finding, problem } from '../doctor/finding.ts';

const CONNECT_MS = 1_000;

export interface WantedPort {
  readonly port: number;
  /** `metrics`, `plugin webhook`. */
  readonly whose: string;
  readonly fix: string;
  /** Default: khook does not start without it. */
  readonly cause?: string;
}

export function takenPort({ port, whose, fix, cause }: WantedPort): Finding {
  return problem({
    code: 'PORT_TAKEN',
    subject: `port ${port}`,
    problem: `Somebody else listens on port ${port}, which khook wants for ${whose}.`,
    cause: cause ?? 'khook does not start without its ports.',
    fix,
    paste: `ss -ltnp 'sport = :${port}'`,
  });
}

/** Who takes connections on that port of this machine. Never rejects. */
export async function holderOf(port: number): Promise<'nobody' | 'khook' | 'stranger'> {
  if (!(await isTaken(port))) return 'nobody';
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(CONNECT_MS) });
    const text = await answer.text();
    return text.includes('khook') || text.includes('/healthz') ? 'khook' : 'stranger';
  } catch {
    return 'stranger';
  }
}

/** null: it names none. */
export function portOf(url: string): number | null {
  const parsed = URL.parse(url);
  if (parsed === null) return null;
  return Number(parsed.port) || (parsed.protocol === 'https:' ? 443 : 80);
}

export function isLoopback(url: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(URL.parse(url)?.hostname ?? '');
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1', timeout: CONNECT_MS });
    const settle = (taken: boolean) => () => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', settle(true)).once('timeout', settle(false)).once('error', settle(false));
  });
}
