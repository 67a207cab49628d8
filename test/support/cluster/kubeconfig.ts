import type { Credentials } from './api-client.ts';

export interface KubeconfigOptions {
  readonly server: string;
  readonly ca: string;
  readonly credentials: Credentials;
  /** Default namespace. */
  readonly namespace?: string;
}

/** A kubeconfig with everything inside. Written as JSON, which is YAML. */
export function kubeconfigText({ server, ca, credentials, namespace = 'default' }: KubeconfigOptions): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const user =
    credentials.kind === 'token'
      ? { token: credentials.token }
      : { 'client-certificate-data': base64(credentials.cert), 'client-key-data': base64(credentials.key) };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace } }],
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: 'test', user }],
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
