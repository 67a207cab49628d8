/** Every environment variable that khook itself looks at: found by watching it look. */

import { findConnection } from '../../host/cluster/connection.ts';
import { readRunOptions } from '../../host/commands/run-options.ts';
import { readEnvironment } from '../../host/config/environment.ts';
import type { Variables } from '../../host/config/expand.ts';

/** Sorted. */
export async function variablesRead(): Promise<string[]> {
  const seen = new Set<string>();
  const watching = (held: Variables): Variables =>
    new Proxy(held, {
      get(target, name) {
        if (typeof name === 'string') seen.add(name);
        return Reflect.get(target, name) as string | undefined;
      },
    });
  const none = watching({});
  const { environment } = readEnvironment(none);
  const quiet = { positionals: [], args: [], stdout: () => undefined, stderr: () => undefined };
  readRunOptions({ ...quiet, flags: {} }, environment, '0.0.0');
  await findConnection(none);
  await findConnection(watching({ KUBERNETES_SERVICE_HOST: '127.0.0.1' }));
  return [...seen].sort();
}
