/** A Lease of coordination.k8s.io/v1, kept by the API server, which refuses a write under a version that is not the newest. */

import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import type { ApiTarget } from './api-target.ts';
import { type LeaseObject, type LeaseRecord, readRecord, writeRecord } from './lease-record.ts';
import type { LeaseStore, StoredLease } from './lease-store.ts';

export interface ApiLeaseStoreOptions {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly name: string;
}

export class ApiLeaseStore implements LeaseStore {
  readonly #client: ApiClient;
  readonly #collection: ApiTarget;
  readonly #target: ApiTarget;
  readonly #empty: LeaseObject;

  constructor({ client, namespace, name }: ApiLeaseStoreOptions) {
    this.#client = client;
    this.#collection = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases', namespace };
    this.#target = { ...this.#collection, name };
    this.#empty = { metadata: { name, namespace } };
  }

  async read(signal: AbortSignal): Promise<StoredLease | null> {
    try {
      return stored(await this.#client.json<LeaseObject>({ verb: 'get', target: this.#target, signal }));
    } catch (error) {
      if (error instanceof ApiError && error.isNotFound) return null;
      throw error;
    }
  }

  async write(record: LeaseRecord, before: StoredLease | null, signal: AbortSignal): Promise<StoredLease | null> {
    const body = writeRecord(before?.object ?? this.#empty, record);
    const request =
      before === null
        ? ({ verb: 'create', target: this.#collection } as const)
        : ({ verb: 'update', target: this.#target } as const);
    try {
      return stored(await this.#client.json<LeaseObject>({ ...request, body, signal }));
    } catch (error) {
      if (error instanceof ApiError && isOvertaken(error)) return null;
      throw error;
    }
  }
}

/** Changed, deleted or made by somebody else meanwhile. A namespace that is not there is told by 404 too, and is no such thing. */
function isOvertaken(error: ApiError): boolean {
  return error.isConflict || error.isAlreadyThere || (error.isNotFound && error.verb === 'update');
}

function stored(object: LeaseObject): StoredLease {
  return { record: readRecord(object), object };
}
