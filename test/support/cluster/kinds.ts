/** Kind → its collection, as the API server names it. Those of what the chart installs. */

const COLLECTIONS: Readonly<Record<string, string>> = {
  ServiceAccount: 'serviceaccounts',
  ConfigMap: 'configmaps',
  Service: 'services',
  PersistentVolumeClaim: 'persistentvolumeclaims',
  Deployment: 'deployments',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  Role: 'roles',
  RoleBinding: 'rolebindings',
  PodDisruptionBudget: 'poddisruptionbudgets',
  NetworkPolicy: 'networkpolicies',
  ServiceMonitor: 'servicemonitors',
  PrometheusRule: 'prometheusrules',
  Hook: 'hooks',
};

export interface Named {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly namespace?: string };
}

/** Path to POST to. Throws for a kind that is not known here. */
export function collectionPath({ apiVersion, kind, metadata }: Named): string {
  const collection = COLLECTIONS[kind];
  if (collection === undefined) throw new Error(`no collection is known for kind ${kind}`);
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const { namespace } = metadata;
  return namespace === undefined ? `${root}/${collection}` : `${root}/namespaces/${namespace}/${collection}`;
}

/** The same, for a request that changes nothing and refuses fields that the API server does not know. */
export function dryRunPath(object: Named): string {
  return `${collectionPath(object)}?dryRun=All&fieldValidation=Strict`;
}
