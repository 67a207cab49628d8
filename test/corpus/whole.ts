/** `npm run test:corpus`: every body, in both tiers. CORPUS_TIER and CORPUS_ONLY (a pattern of names or groups) narrow it down. */

import { runCorpus } from './run-corpus.ts';

const { CORPUS_TIER = 'thread,process', CORPUS_ONLY = '' } = process.env;
const only = new RegExp(`^(?:${CORPUS_ONLY || '.*'})$`);

for (const tier of ['thread', 'process'] as const) {
  if (!CORPUS_TIER.split(',').includes(tier)) continue;
  runCorpus({ tier, admit: ({ name, group }) => only.test(name) || only.test(group), name: tier });
}
