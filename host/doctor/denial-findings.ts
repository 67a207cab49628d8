/** Plugins that run, and were refused connections: some swallow that, and then never hear of anything. Pure. */

import type { Evidence } from './evidence.ts';
import { type Finding, warning } from './finding.ts';
import { counted } from './words.ts';

/** Of files nothing is told: libraries look for many that need not be there. */
export function denialFindings({ plugins }: Evidence): Finding[] {
  const refused = plugins.filter(({ state, deniedNetwork }) => state === 'running' && deniedNetwork > 0);
  return refused.map(({ name, deniedNetwork }) =>
    warning({
      code: 'PLUGIN_DENIED',
      subject: `plugin ${name}`,
      problem: `Plugin ${name} runs, and was refused ${counted(deniedNetwork, 'connection')} that it was not granted.`,
      cause: 'It may reach nothing but what its manifest asks for and plugins.yaml grants.',
      fix: 'Its log says what would grant each; where that is wanted, its manifest has to ask for it too.',
      paste: `kubectl logs deployment/khook | grep '"plugin":"${name}"' | grep refused   # without a cluster: the output of khook run`,
    }),
  );
}
