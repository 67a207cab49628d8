/** The end of an API client that writers hold: answers as a test says, one request after another, and remembers them. */

import type { ApiClient, ApiRequest } from '../../../host/cluster/api-client.ts';
import { ApiError } from '../../../host/cluster/api-error.ts';
import { pathOf } from '../../../host/cluster/api-target.ts';

/** What a request comes to: an answer, or a refusal by its status. */
export type Answer = { readonly body: unknown } | { readonly status: number | null; readonly reason?: string };

export class ScriptedApi implements Pick<ApiClient, 'json'> {
  readonly requests: ApiRequest[] = [];
  /** Highest number of requests under way at once. */
  peak = 0;
  /** Requests are answered in a later turn while it is true, by `release`. */
  isHeld = false;
  #held: (() => void)[] = [];
  #underWay = 0;
  readonly #answer: (request: ApiRequest) => Answer;

  constructor(answer: (request: ApiRequest) => Answer) {
    this.#answer = answer;
  }

  /** `patch /apis/…` */
  get lines(): string[] {
    return this.requests.map(({ verb, target }) => `${verb} ${pathOf(target)}`);
  }

  bodies<T>(): T[] {
    return this.requests.map(({ body }) => body as T);
  }

  async json<T>(request: ApiRequest): Promise<T> {
    this.requests.push(request);
    this.#underWay += 1;
    this.peak = Math.max(this.peak, this.#underWay);
    if (this.isHeld) await new Promise<void>((resolve) => this.#held.push(resolve));
    this.#underWay -= 1;
    const answer = this.#answer(request);
    if ('body' in answer) return answer.body as T;
    const { verb, target } = request;
    const { status, reason = '' } = answer;
    throw new ApiError({ verb, target, status, reason, message: `said ${status}`, retryAfterMs: null });
  }

  release(): void {
    for (const resolve of this.#held.splice(0)) resolve();
  }
}
