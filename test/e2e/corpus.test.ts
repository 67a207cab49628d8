/** The short run of the corpus: of each kind of misbehaviour its plainest example. `npm run test:corpus` runs the whole. */

import { runCorpus } from '../corpus/run-corpus.ts';

runCorpus({ tier: 'thread', admit: ({ quick }) => quick === true, name: null });
