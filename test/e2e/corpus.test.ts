/** The short run of the corpus: of each kind of misbehaviour its plainest example. `npm run test:corpus` runs the whole. */

import { runCorpus } from '../corpus/run-corpus.ts';

/** What only a process of its own holds, and one of each kind to see that the same watch stands over it. */
const IN_A_PROCESS: readonly string[] = [
  'throw-in-timer',
  'loop',
  'leak-array',
  'kill',
  'stop-for-ever',
  'abort-in-zlib',
];

runCorpus({ tier: 'thread', admit: ({ quick }) => quick === true, name: null });
runCorpus({ tier: 'process', admit: ({ name }) => IN_A_PROCESS.includes(name), name: null });
