/** Writes the CustomResourceDefinition of Hooks into the chart: `npm run crd:generate`. A test holds the file against the schemas. */

import { writeFileSync } from 'node:fs';
import { crdText } from './crd/crd-text.ts';

const file = new URL('../deploy/helm/khook/crds/hooks.yaml', import.meta.url);
writeFileSync(file, crdText());
process.stdout.write('deploy/helm/khook/crds/hooks.yaml\n');
