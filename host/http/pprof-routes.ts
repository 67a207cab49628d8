/** `/debug/pprof/…` as Go programs have it, so that `go tool pprof` reads khook too. */

import { parseProfileQuery } from './query.ts';
import { text as plain, type Reply, refusal } from './reply.ts';
import type { Route } from './route.ts';
import type { HostOperations } from './view.ts';

const INDEX = `/debug/pprof/profile?seconds=30            CPU of the host's own thread
/debug/pprof/profile?seconds=30&plugin=NAME  CPU of one plugin
/debug/pprof/heap?seconds=10               what was allocated meanwhile and is still held, by who allocated it
/debug/pprof/heap?seconds=10&plugin=NAME     the same of one plugin
`;
const PPROF_TYPE = 'application/octet-stream';
const DEFAULT_SECONDS = { cpu: 30, heap: 10 } as const;

export function pprofRoutes(operations: Pick<HostOperations, 'profile'>): readonly Route[] {
  const answer = async (kind: 'cpu' | 'heap', query: URLSearchParams): Promise<Reply> => {
    const parsed = parseProfileQuery(query, DEFAULT_SECONDS[kind]);
    if ('error' in parsed) return refusal(400, parsed.error);
    const { plugin, seconds } = parsed;
    const body = await operations.profile({ kind, plugin, ms: seconds * 1_000 });
    const name = `${plugin ?? 'host'}.${kind}.pb.gz`;
    return {
      status: 200,
      contentType: PPROF_TYPE,
      body,
      headers: { 'Content-Disposition': `attachment; filename="${name}"` },
    };
  };
  return [
    { method: 'GET', path: '/debug/pprof/', answer: () => plain(INDEX) },
    { method: 'GET', path: '/debug/pprof/profile', answer: ({ query }) => answer('cpu', query) },
    { method: 'GET', path: '/debug/pprof/heap', answer: ({ query }) => answer('heap', query) },
  ];
}
