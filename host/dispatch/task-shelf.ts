/** The embedded agent's tasks: the newest ones. The SDK's own store never forgets. */

import type { ListTasksRequest, ListTasksResponse, Task } from '@a2a-js/sdk';
import type { TaskStore } from '@a2a-js/sdk/server';

const PAGE_SIZE = 50;

export class TaskShelf implements TaskStore {
  readonly #capacity: number;
  /** Oldest first. */
  readonly #tasks = new Map<string, Task>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#tasks.size;
  }

  async save(task: Task): Promise<void> {
    // What was asked stays with the prompts; kept here as well it would be a megabyte for each task.
    this.#tasks.set(task.id, structuredClone({ ...task, history: [] }));
    const oldest = this.#tasks.keys().next();
    if (this.#tasks.size > this.#capacity && oldest.done !== true) this.#tasks.delete(oldest.value);
  }

  async load(taskId: string): Promise<Task | undefined> {
    const task = this.#tasks.get(taskId);
    return task === undefined ? undefined : structuredClone(task);
  }

  /** One page, newest first. */
  async list({ contextId, pageSize = PAGE_SIZE }: ListTasksRequest): Promise<ListTasksResponse> {
    const all = [...this.#tasks.values()].reverse().filter((task) => contextId === '' || task.contextId === contextId);
    return { tasks: structuredClone(all.slice(0, pageSize)), nextPageToken: '', pageSize, totalSize: all.length };
  }
}
