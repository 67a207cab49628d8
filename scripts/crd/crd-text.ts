/** The file deploy/helm/khook/crds/hooks.yaml, as text. */

import { stringify } from 'yaml';
import { hookCrd } from './hook-crd.ts';

const HEAD = `# Generated from host/config/hook-schema.ts and host/config/hook-status.ts by \`npm run crd:generate\`. Do not edit.
# Helm installs it once and never changes it again. For a newer khook: kubectl apply --server-side --force-conflicts -f FILE
`;

export function crdText(): string {
  return HEAD + stringify(hookCrd(), { lineWidth: 0, aliasDuplicateObjects: false });
}
