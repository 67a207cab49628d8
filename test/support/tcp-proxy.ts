/**
 * A TCP proxy that does to connections what networks do: cuts them, delays them, goes silent without closing anything. It sees
 * bytes only, so TLS passes through; a certificate for 127.0.0.1 fits it too. Unlike with a dead network, what is sent into
 * the silence is acknowledged by the kernel: whoever relies on TCP's own retransmission time-out to notice waits for ever.
 */

import { connect, createServer, type Server, type Socket } from 'node:net';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Carries nothing more, in either direction, for good. */
  isDead: boolean;
}

export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  /** Accepted while silent: they reach the server when the silence is over. */
  readonly #waiting = new Set<Socket>();
  readonly #target: number;
  #port = 0;
  #isSilent = false;
  #isRefusing = false;
  #delayMs = 0;
  /** Connections accepted so far. */
  accepted = 0;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer({ pauseOnConnect: true }, (client) => this.#accept(client));
  }

  /** In front of a port of 127.0.0.1. */
  static async start(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    proxy.#port = (proxy.#server.address() as { port: number }).port;
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  get open(): number {
    return this.#pairs.size;
  }

  /** Closes every connection. New ones pass. `abruptly`: by a reset. */
  cut(abruptly = false): void {
    for (const pair of this.#pairs) for (const end of [pair.client, pair.server]) abort(end, abruptly);
    for (const client of this.#waiting) abort(client, abruptly);
  }

  /** Open connections become half-open: they stay and carry nothing, for good, as behind a router that forgot them. New ones pass. */
  abandon(): void {
    for (const pair of this.#pairs) {
      pair.isDead = true;
      pair.client.pause();
      pair.server.pause();
    }
  }

  /** A partition: nothing passes and nothing is closed, new connections get no answer. After `heal` all of it goes on. */
  partition(): void {
    this.#isSilent = true;
    for (const pair of this.#pairs) {
      pair.client.pause();
      pair.server.pause();
    }
  }

  heal(): void {
    this.#isSilent = false;
    this.#isRefusing = false;
    for (const pair of this.#pairs) {
      if (pair.isDead) continue;
      pair.client.resume();
      pair.server.resume();
    }
    for (const client of this.#waiting) this.#join(client);
    this.#waiting.clear();
  }

  /** As when nobody listens: open connections are cut and new ones are reset, until `heal`. */
  refuse(): void {
    this.#isRefusing = true;
    this.cut(true);
  }

  /** Everything takes `ms` longer, in each direction. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut(true);
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #accept(client: Socket): void {
    this.accepted += 1;
    client.on('error', () => undefined);
    if (this.#isRefusing) {
      client.resetAndDestroy();
    } else if (this.#isSilent) {
      this.#waiting.add(client);
      client.once('close', () => this.#waiting.delete(client));
    } else this.#join(client);
  }

  #join(client: Socket): void {
    const server = connect({ port: this.#target, host: '127.0.0.1', noDelay: true });
    client.setNoDelay(true);
    const pair: Pair = { client, server, isDead: false };
    this.#pairs.add(pair);
    this.#forward(pair, { from: client, to: server });
    this.#forward(pair, { from: server, to: client });
    client.resume();
  }

  #forward(pair: Pair, { from, to }: { from: Socket; to: Socket }): void {
    // A chain, so that a delay that is changed does not change the order.
    let last = Promise.resolve();
    const later = (action: () => void): void => {
      const due = performance.now() + this.#delayMs;
      last = last.then(() => until(due)).then(action);
    };
    from.on('data', (bytes) => {
      later(() => {
        if (pair.isDead || to.destroyed || to.write(bytes)) return;
        from.pause();
        to.once('drain', () => {
          if (!pair.isDead && !this.#isSilent) from.resume();
        });
      });
    });
    from.on('end', () => later(() => to.end()));
    from.on('error', () => later(() => to.destroy()));
    from.once('close', () => {
      later(() => to.destroy());
      this.#pairs.delete(pair);
    });
  }
}

async function until(due: number): Promise<void> {
  const ms = due - performance.now();
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}

function abort(socket: Socket, abruptly: boolean): void {
  if (abruptly) socket.resetAndDestroy();
  else socket.destroy();
}
