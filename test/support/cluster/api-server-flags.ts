/** How the API server of the tests is started: as in a real cluster (RBAC, node authorizer, default admission), on loopback. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ApiServerFiles {
  readonly directory: string;
  readonly port: number;
  readonly etcdUrl: string;
  readonly tokenKeyFile: string;
}

export const ISSUER = 'https://kubernetes.default.svc';
export const AUDIT_FILE = 'audit.log';

/** One line per request when it is answered; a watch has one when it begins and one when it ends. */
const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'None', users: ['system:apiserver', 'admin'] }, { level: 'Metadata' }],
};

export function apiServerFlags({ directory, port, etcdUrl, tokenKeyFile }: ApiServerFiles): string[] {
  const file = (name: string): string => join(directory, name);
  writeFileSync(file('audit-policy.json'), JSON.stringify(AUDIT_POLICY));
  return [
    `--etcd-servers=${etcdUrl}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    // Else it looks for the endpoint of a cluster network that is not there.
    '--endpoint-reconciler-type=none',
    `--cert-dir=${directory}`,
    `--tls-cert-file=${file('api-server.crt')}`,
    `--tls-private-key-file=${file('api-server.key')}`,
    `--client-ca-file=${file('ca.crt')}`,
    `--service-account-issuer=${ISSUER}`,
    `--service-account-key-file=${tokenKeyFile}`,
    `--service-account-signing-key-file=${tokenKeyFile}`,
    '--service-cluster-ip-range=10.0.0.0/16',
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    // Else an open watch holds up its end for a minute.
    '--shutdown-watch-termination-grace-period=1s',
    `--audit-policy-file=${file('audit-policy.json')}`,
    `--audit-log-path=${file(AUDIT_FILE)}`,
  ];
}
