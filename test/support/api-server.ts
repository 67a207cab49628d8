/**
 * A small API server: collections, of all namespaces or of one, paged lists with continue tokens, watches from a resourceVersion with
 * bookmarks, a history that can be compacted, and the faults that real ones show. Takes writes without keeping them. Speaks HTTP, or HTTPS
 * with a client certificate.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { KubernetesConnection } from '../../ipc/control.ts';
import { type Collection, collectionOf, forbiddenText, isIn, sendStatus, statusOf } from './api-answers.ts';
import type { Certificates } from './certificates.ts';

export interface StoredObject {
  readonly metadata: { readonly uid: string; readonly resourceVersion?: string } & Record<string, unknown>;
  readonly [key: string]: unknown;
}

export interface SeenRequest {
  readonly kind: 'list' | 'watch' | 'write';
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly authorization: string | undefined;
  /** Common name of the client certificate. */
  readonly clientName: string | undefined;
  /** Of a write. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** Read at each request; a test changes them as it goes. */
export interface Faults {
  /** Every request is refused with it. */
  status?: number;
  /** Refused with 403: `nodes`, or `pods/shop` in one namespace, or `pods/` in all at once. */
  forbidden?: readonly string[];
  /** Others are refused with 401. */
  tokens?: readonly string[];
  /** What a SelfSubjectAccessReview does not allow: `patch hooks/status`. */
  denied?: readonly string[];
  /** How far its clock is ahead. */
  clockAheadMs?: number;
  retryAfter?: string;
  /** How an expired version is told: by the HTTP status, or as the first line of a watch. */
  gone?: 'status' | 'event';
  closeWatchAfterMs?: number;
  /** The connection is reset instead of closed in good order. */
  isAbrupt?: boolean;
  /** Each byte is written in a turn of its own. */
  dribbles?: boolean;
  /** A watch is accepted, and then nothing comes: what a half-open connection looks like. */
  isSilent?: boolean;
  /** Runs before a page of a list is answered. */
  beforePage?: (query: Readonly<Record<string, string>>) => void;
}

interface HistoryEntry {
  readonly version: number;
  readonly line: string;
  readonly collection: Collection;
}

interface Stored {
  readonly object: StoredObject;
  readonly collection: Collection;
}

export class ApiServer {
  readonly requests: SeenRequest[] = [];
  faults: Faults = {};
  /** By resource and uid. */
  readonly #objects = new Map<string, Stored>();
  readonly #history: HistoryEntry[] = [];
  readonly #watches = new Map<ServerResponse, Collection>();
  readonly #unwritten = new WeakMap<ServerResponse, Promise<void>>();
  readonly #server: ReturnType<typeof createServer>;
  readonly #certificates: Certificates | null;
  #version = 100;
  #compacted = 0;

  constructor(certificates: Certificates | null = null) {
    this.#certificates = certificates;
    const respond = (request: IncomingMessage, response: ServerResponse): void => this.#respond(request, response);
    this.#server =
      certificates === null
        ? createServer(respond)
        : createTlsServer(
            { ...certificates.server, ca: certificates.ca, requestCert: true, rejectUnauthorized: false },
            respond,
          );
  }

  /** Returns how to reach it. */
  async open(): Promise<KubernetesConnection> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    return {
      server: `${this.#certificates === null ? 'http' : 'https'}://127.0.0.1:${port}`,
      ca: this.#certificates?.ca ?? null,
      token: 'token-1',
      clientCertificate: null,
      skipTlsVerify: false,
      namespace: 'default',
    };
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  /** What is being watched: `nodes`, `shop/pods`. */
  get watched(): string[] {
    const names = [...this.#watches.values()].map(({ resource, namespace }) =>
      namespace === '' ? resource : `${namespace}/${resource}`,
    );
    return names.sort();
  }

  requestsOf(kind: SeenRequest['kind']): SeenRequest[] {
    return this.requests.filter((request) => request.kind === kind);
  }

  /** Adds, or modifies the object of the same uid. */
  put(object: StoredObject, resource = 'events'): void {
    const { uid, namespace } = object.metadata;
    const key = `${resource}/${uid}`;
    const type = this.#objects.has(key) ? 'MODIFIED' : 'ADDED';
    this.#version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    const collection = { resource, namespace: typeof namespace === 'string' ? namespace : '' };
    this.#objects.set(key, { object: stored, collection });
    this.#publish({ type, object: stored }, collection);
  }

  delete(uid: string, resource = 'events'): void {
    const stored = this.#objects.get(`${resource}/${uid}`);
    if (stored === undefined || !this.#objects.delete(`${resource}/${uid}`)) return;
    this.#version += 1;
    const { object, collection } = stored;
    const gone = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#publish({ type: 'DELETED', object: gone }, collection);
  }

  /** The version moves on without a change, as it does for another collection, and watches are told. */
  bookmark(): string {
    this.#version += 1;
    const object = { kind: 'Event', metadata: { resourceVersion: String(this.#version) } };
    this.#publish({ type: 'BOOKMARK', object }, null);
    return String(this.#version);
  }

  /** Every version up to now is of no more use. */
  compact(): void {
    this.#version += 1;
    this.#compacted = this.#version;
    this.#history.length = 0;
  }

  /** Sends a line to every open watch, whatever it is. */
  say(line: string): void {
    for (const watch of this.#watches.keys()) this.#write(watch, `${line}\n`);
  }

  closeWatches(): void {
    for (const watch of [...this.#watches.keys()]) this.#end(watch);
  }

  /** `collection` null: to everybody, and not for the history. */
  #publish(said: unknown, collection: Collection | null): void {
    const line = `${JSON.stringify(said)}\n`;
    if (collection !== null) this.#history.push({ version: this.#version, line, collection });
    for (const [watch, watched] of this.#watches)
      if (collection === null || isIn(collection, watched)) this.#write(watch, line);
  }

  #respond(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://api');
    const query = Object.fromEntries(url.searchParams);
    if (request.method !== 'GET') {
      void this.#take(request, response, url.pathname);
      return;
    }
    const kind = query.watch === '1' ? 'watch' : 'list';
    const certificate = (request.socket as TLSSocket).getPeerCertificate?.();
    const clientName = certificate?.subject?.CN?.toString();
    this.requests.push({ kind, path: url.pathname, query, authorization: request.headers.authorization, clientName });
    const { status, retryAfter, clockAheadMs = 0, tokens } = this.faults;
    const collection = collectionOf(url.pathname);
    this.#date(response, clockAheadMs);
    const token = request.headers.authorization?.replace('Bearer ', '');
    if (tokens !== undefined && !tokens.includes(token ?? '')) sendStatus(response, 401, 'Unauthorized');
    else if (this.#forbids(collection)) sendStatus(response, 403, forbiddenText(kind, collection));
    else if (status !== undefined) {
      if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter);
      sendStatus(
        response,
        status,
        'events.events.k8s.io is forbidden: User "system:serviceaccount:kagent:khook" cannot',
      );
    } else if (kind === 'watch') this.#watch(query, collection, response);
    else this.#list(query, collection, response);
  }

  async #take(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
    const { authorization } = request.headers;
    this.requests.push({ kind: 'write', path, query: {}, authorization, clientName: undefined, body });
    this.#date(response);
    if (this.faults.status !== undefined) {
      sendStatus(response, this.faults.status, 'not now');
      return;
    }
    response.setHeader('Content-Type', 'application/json');
    const status = path.endsWith('/selfsubjectaccessreviews') ? { status: this.#review(body) } : {};
    response.end(JSON.stringify({ metadata: {}, ...body, ...status }));
  }

  #date(response: ServerResponse, clockAheadMs = this.faults.clockAheadMs ?? 0): void {
    response.sendDate = false;
    response.setHeader('Date', new Date(Date.now() + clockAheadMs).toUTCString());
  }

  #review({ spec }: Record<string, unknown>): { allowed: boolean } {
    const { verb, resource, subresource } = (spec as { resourceAttributes: Record<string, string> }).resourceAttributes;
    const what = `${verb} ${subresource === undefined ? resource : `${resource}/${subresource}`}`;
    return { allowed: this.faults.denied?.includes(what) !== true };
  }

  #forbids({ resource, namespace }: Collection): boolean {
    const { forbidden = [] } = this.faults;
    return forbidden.includes(resource) || forbidden.includes(`${resource}/${namespace}`);
  }

  #list(query: Readonly<Record<string, string>>, collection: Collection, response: ServerResponse): void {
    this.faults.beforePage?.(query);
    const token =
      query.continue === undefined ? null : (JSON.parse(query.continue) as { version: number; after: string });
    if (token !== null && token.version < this.#compacted) {
      const fresh = JSON.stringify({ version: this.#version, after: token.after });
      sendStatus(response, 410, 'The provided continue parameter is too old', { continue: fresh });
      return;
    }
    const uids = [...this.#objects]
      .flatMap(([uid, stored]) => (isIn(stored.collection, collection) ? [uid] : []))
      .sort()
      .filter((uid) => token === null || uid > token.after);
    const page = uids.slice(0, Number(query.limit ?? uids.length));
    const version = token?.version ?? this.#version;
    const after = page.length < uids.length ? page.at(-1) : undefined;
    const metadata = {
      resourceVersion: String(version),
      ...(after === undefined ? {} : { continue: JSON.stringify({ version, after }) }),
    };
    const items = page.map((uid) => this.#objects.get(uid)?.object);
    response.setHeader('Content-Type', 'application/json');
    this.#write(response, JSON.stringify({ kind: 'List', apiVersion: 'v1', metadata, items }));
    this.#later(response, () => response.end());
  }

  #watch(query: Readonly<Record<string, string>>, collection: Collection, response: ServerResponse): void {
    const from = Number(query.resourceVersion);
    const isGone = from < this.#compacted;
    if (isGone && this.faults.gone !== 'event') {
      sendStatus(response, 410, `too old resource version: ${from} (${this.#compacted})`);
      return;
    }
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.flushHeaders();
    if (isGone) {
      const object = statusOf(410, `too old resource version: ${from} (${this.#compacted})`);
      this.#write(response, `${JSON.stringify({ type: 'ERROR', object })}\n`);
      this.#end(response);
      return;
    }
    this.#watches.set(response, collection);
    for (const entry of this.#history)
      if (entry.version > from && isIn(entry.collection, collection)) this.#write(response, entry.line);
    const { closeWatchAfterMs = Number(query.timeoutSeconds ?? 3_600) * 1_000 } = this.faults;
    const timer = setTimeout(() => this.#end(response), closeWatchAfterMs);
    response.once('close', () => {
      clearTimeout(timer);
      this.#watches.delete(response);
    });
  }

  #write(response: ServerResponse, text: string): void {
    if (this.faults.isSilent) return;
    if (!this.faults.dribbles) response.write(text);
    else for (const byte of Buffer.from(text)) this.#later(response, () => response.write(Buffer.of(byte)));
  }

  #end(response: ServerResponse): void {
    this.#watches.delete(response);
    if (this.faults.isAbrupt) response.destroy();
    else this.#later(response, () => response.end());
  }

  /** In a later turn if something is still to be written, else at once. */
  #later(response: ServerResponse, action: () => void): void {
    const before = this.#unwritten.get(response);
    if (before === undefined && !this.faults.dribbles) {
      action();
      return;
    }
    const turn = (before ?? Promise.resolve()).then(() => {
      action();
      return new Promise<void>((resolve) => setImmediate(resolve));
    });
    this.#unwritten.set(response, turn);
  }
}
