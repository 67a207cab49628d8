/** Speaks to a real API server as one user: JSON in and out, and watches. */

import { Agent, type RequestOptions, request } from 'node:https';
import { createInterface } from 'node:readline';

export type Credentials =
  | { readonly kind: 'certificate'; readonly cert: string; readonly key: string }
  | { readonly kind: 'token'; readonly token: string };

export interface ApiClientOptions {
  /** `https://127.0.0.1:PORT` */
  readonly server: string;
  readonly ca: string;
  readonly credentials: Credentials;
}

export interface ApiObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
  } & Record<string, unknown>;
  readonly [key: string]: unknown;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: ApiObject;
}

/** What the API server says when it refuses. */
export class ApiStatusError extends Error {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, text: string) {
    const status = parse(text) as { message?: string; reason?: string };
    super(status.message ?? `${code} ${text}`);
    this.code = code;
    this.reason = status.reason ?? '';
  }
}

const PATCH_TYPE = 'application/merge-patch+json';

export class ApiClient {
  readonly #options: ApiClientOptions;
  readonly #agent: Agent;

  constructor(options: ApiClientOptions) {
    this.#options = options;
    const { ca, credentials } = options;
    const own = credentials.kind === 'certificate' ? { cert: credentials.cert, key: credentials.key } : {};
    this.#agent = new Agent({ ca, ...own, keepAlive: true, maxSockets: 16 });
  }

  get<T = ApiObject>(path: string): Promise<T> {
    return this.#call('GET', path);
  }

  create<T = ApiObject>(path: string, body: unknown): Promise<T> {
    return this.#call('POST', path, { body });
  }

  replace<T = ApiObject>(path: string, body: unknown): Promise<T> {
    return this.#call('PUT', path, { body });
  }

  /** A JSON merge patch. */
  patch<T = ApiObject>(path: string, body: unknown): Promise<T> {
    return this.#call('PATCH', path, { body, type: PATCH_TYPE });
  }

  delete<T = ApiObject>(path: string): Promise<T> {
    return this.#call('DELETE', path);
  }

  /** The body as text, whatever it is; 2xx or an error. */
  text(path: string): Promise<string> {
    return this.#send('GET', path, {});
  }

  /** From the moment it is called; ends when the server, the connection or the reader does. */
  async *watch(path: string): AsyncGenerator<WatchEvent, void, undefined> {
    const query = `${path.includes('?') ? '&' : '?'}watch=1&allowWatchBookmarks=true`;
    const sent = request(`${this.#options.server}${path}${query}`, { ...this.#requestOptions(), method: 'GET' });
    sent.end();
    const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve);
      sent.once('error', reject);
    });
    if (response.statusCode !== 200) throw new ApiStatusError(response.statusCode ?? 0, await bodyOf(response));
    try {
      for await (const line of createInterface({ input: response })) yield JSON.parse(line) as WatchEvent;
    } finally {
      sent.destroy();
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #call<T>(method: string, path: string, options: { body?: unknown; type?: string } = {}): Promise<T> {
    return parse(await this.#send(method, path, options)) as T;
  }

  async #send(
    method: string,
    path: string,
    { body, type = 'application/json' }: { body?: unknown; type?: string },
  ): Promise<string> {
    const options: RequestOptions = { ...this.#requestOptions(), method };
    const text = body === undefined ? null : JSON.stringify(body);
    if (text !== null) {
      options.headers = { ...options.headers, 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) };
    }
    const { code, answer } = await this.#once(path, { options, text });
    if (code < 200 || code > 299) throw new ApiStatusError(code, answer);
    return answer;
  }

  #once(
    path: string,
    { options, text }: { options: RequestOptions; text: string | null },
  ): Promise<{ code: number; answer: string }> {
    return new Promise((resolve, reject) => {
      const sent = request(`${this.#options.server}${path}`, options, (response) => {
        bodyOf(response).then((answer) => resolve({ code: response.statusCode ?? 0, answer }), reject);
      });
      sent.once('error', (error: NodeJS.ErrnoException) => {
        // An idle connection that the server closed meanwhile: nothing was sent, so it may be tried again.
        if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(this.#once(path, { options, text }));
        else reject(error);
      });
      sent.end(text ?? undefined);
    });
  }

  #requestOptions(): RequestOptions {
    const { credentials } = this.#options;
    const headers: Record<string, string> = { Accept: 'application/json' };
    if (credentials.kind === 'token') headers.Authorization = `Bearer ${credentials.token}`;
    return { agent: this.#agent, headers };
  }
}

async function bodyOf(response: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
