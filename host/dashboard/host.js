/**
 * What the page knows of the host: asked for again every two seconds, and at once when the stream says that something happened. The
 * stream reconnects by itself; while the host does not answer, what was known last stays, with the time of it.
 */

const ASK_EVERY_MS = 2_000;
const HISTORY_EVERY_MS = 10_000;
/** The host asks the cluster for it. */
const DOCTOR_EVERY_MS = 15_000;
const MAX_EVENTS = 200;

const EMPTY = {
  status: null,
  plugins: [],
  hooks: [],
  ledger: null,
  flights: [],
  events: [],
  history: null,
  findings: [],
};

export class Host {
  #listeners = new Set();
  #state = { ...EMPTY, silentSince: null, missed: 0 };
  #isAsking = false;
  #isAskedAgain = false;

  get state() {
    return this.#state;
  }

  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start() {
    void this.#ask();
    void this.#askHistory();
    void this.#askEvents();
    void this.#askDoctor();
    setInterval(() => void this.#ask(), ASK_EVERY_MS);
    setInterval(() => void this.#askHistory(), HISTORY_EVERY_MS);
    setInterval(() => {
      if (!document.hidden) void this.#askDoctor();
    }, DOCTOR_EVERY_MS);
    this.#listen();
  }

  #set(change) {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener(this.#state);
  }

  async #ask() {
    if (this.#isAsking) {
      this.#isAskedAgain = true;
      return;
    }
    this.#isAsking = true;
    try {
      const [status, { plugins }, { hooks }, ledger, { flightRecords }] = await Promise.all([
        get('/api/v1/status'),
        get('/api/v1/plugins'),
        get('/api/v1/hooks'),
        get('/api/v1/ledger'),
        get('/api/v1/flight-records'),
      ]);
      const isAnother = this.#state.status !== null && this.#state.status.startedAt !== status.startedAt;
      this.#set({ status, plugins, hooks, ledger, flights: flightRecords, silentSince: null });
      if (isAnother) {
        await this.#askEvents();
        await this.#askHistory();
      }
    } catch {
      this.#set({ silentSince: this.#state.silentSince ?? Date.now() });
    } finally {
      this.#isAsking = false;
      if (this.#isAskedAgain) {
        this.#isAskedAgain = false;
        void this.#ask();
      }
    }
  }

  async #askHistory() {
    await get('/api/v1/history').then(
      (history) => this.#set({ history }),
      () => undefined,
    );
  }

  async #askDoctor() {
    await get('/api/v1/doctor').then(
      ({ findings }) => this.#set({ findings }),
      () => undefined,
    );
  }

  async #askEvents() {
    await get(`/api/v1/events?limit=${MAX_EVENTS}`).then(
      ({ events }) => this.#set({ events, missed: 0 }),
      () => undefined,
    );
  }

  #listen() {
    const stream = new EventSource('/api/v1/stream');
    stream.addEventListener('event', ({ data }) => this.#take(JSON.parse(data)));
    stream.addEventListener('missed', ({ data }) => this.#set({ missed: this.#state.missed + JSON.parse(data).count }));
    for (const kind of ['plugin', 'flight-record']) stream.addEventListener(kind, () => void this.#ask());
    stream.addEventListener('open', () => void this.#askEvents());
  }

  /** An event comes again when its outcome is known. */
  #take(event) {
    const others = this.#state.events.filter(({ id }) => id !== event.id);
    this.#set({ events: [event, ...others].slice(0, MAX_EVENTS) });
  }
}

export async function get(path, withinMs = 5_000) {
  const response = await fetch(path, { signal: AbortSignal.timeout(withinMs) });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}
