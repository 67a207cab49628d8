/** `khook doctor`. What it does is loaded only when it is asked for: the command line stays light. */

import type { Command } from './command.ts';
import { URL_FLAG } from './host-client.ts';
import { RUN_FLAGS } from './run-options.ts';

/** As `khook run` is given them. */
const GIVEN_TO_RUN: ReadonlySet<string> = new Set(
  ['config', 'hooks', 'plugins'].concat(['agent-url', 'agent-port', 'metrics-port', 'health-port']),
);

export const doctor: Command = {
  name: 'doctor',
  summary: 'Say what is wrong with a running khook, or with one that does not run, and what to do',
  usage: '[flags]',
  flags: [
    URL_FLAG,
    {
      name: 'cluster',
      description: 'Look at the pods of khook in the cluster of your kubeconfig, and ask the leader there.',
    },
    { name: 'namespace', short: 'n', value: 'NAME', description: 'With --cluster: where khook is.', default: 'kagent' },
    {
      name: 'bundle',
      value: 'FILE',
      description: 'Also write what khook knows, secrets taken out, as one archive (.tgz) for a bug report.',
    },
    ...RUN_FLAGS.filter(({ name }) => GIVEN_TO_RUN.has(name)).map((flag) => ({
      ...flag,
      description: `${flag.description} Read only when no host answers.`,
    })),
    { name: 'json', description: 'Print the findings as JSON.' },
  ],
  examples: [
    'khook doctor',
    'khook doctor --url http://127.0.0.1:8080 --json',
    'khook doctor --cluster --namespace kagent',
    'kubectl exec -n kagent deployment/khook -- khook doctor --bundle /dev/stdout > bundle.tgz',
  ],
  run: async (invocation) => (await import('./doctor-visit.ts')).visit(invocation),
};
