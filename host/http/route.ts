/** One thing a server answers to. */

import type { Reply, StreamReply } from './reply.ts';

export interface RouteRequest {
  /** Values of `:name` parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed JSON of a route with `readsBody`, else undefined. */
  readonly body: unknown;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `/api/v1/events/:id` */
  readonly path: string;
  /** It expects a JSON body of at most 64 KiB. */
  readonly readsBody?: boolean;
  answer(request: RouteRequest): Reply | StreamReply | Promise<Reply>;
}

export type RouteMatch =
  | { readonly kind: 'found'; readonly route: Route; readonly params: Readonly<Record<string, string>> }
  | { readonly kind: 'wrong-method'; readonly allowed: readonly string[] }
  | { readonly kind: 'unknown' };

export function findRoute(routes: readonly Route[], method: string, path: string): RouteMatch {
  const allowed: string[] = [];
  for (const route of routes) {
    const params = pathParams(route.path, path);
    if (params === null) continue;
    if (route.method === method || (route.method === 'GET' && method === 'HEAD'))
      return { kind: 'found', route, params };
    allowed.push(route.method, ...(route.method === 'GET' ? ['HEAD'] : []));
  }
  return allowed.length > 0 ? { kind: 'wrong-method', allowed } : { kind: 'unknown' };
}

export function listRoutes(routes: readonly Route[]): string[] {
  return routes.map(({ method, path }) => `${method} ${path}`);
}

function pathParams(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    const value = given[i] ?? '';
    if (!part.startsWith(':')) {
      if (part !== value) return null;
    } else if (value === '') {
      return null;
    } else {
      try {
        params[part.slice(1)] = decodeURIComponent(value);
      } catch {
        return null;
      }
    }
  }
  return params;
}
