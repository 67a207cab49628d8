/** Permissions one by one, in the words of plugins.yaml: which was asked for, which was granted, and what is known of its use. */

import { missingGrants } from '../config/grants.ts';
import { NO_PERMISSIONS, type Permissions } from '../config/permissions.ts';
import type { PermissionsSnapshot, UseSnapshot } from '../http/view.ts';

interface Item {
  readonly words: string;
  readonly permissions: Permissions;
  readonly use: (used: UseSnapshot) => string;
}

/** Nobody counts by target or by folder. */
const NOT_COUNTED = (): string => 'not counted';

/** `PERMISSION`, `ASKED`, `GRANTED`, `USED`. */
export function permissionRows({ asked, granted, used }: PermissionsSnapshot): string[][] {
  const wanted = items(asked).map(({ words, permissions, use }) => {
    const isGranted = missingGrants(permissions, granted) === null;
    return [words, 'yes', isGranted ? 'yes' : 'NO', used === null ? '-' : use(used)];
  });
  const beyond = items(granted).filter(({ permissions }) => missingGrants(permissions, asked) !== null);
  return [...wanted, ...beyond.map(({ words }) => [words, 'no', 'yes', 'never: it does not ask for it'])];
}

export function listPermissions(permissions: Permissions): string[] {
  return items(permissions).map(({ words }) => words);
}

function items({ net, read, write, env, kubernetes }: Permissions): Item[] {
  const none = NO_PERMISSIONS;
  const ofNet = (part: Partial<Permissions['net']>): Permissions => ({ ...none, net: { ...none.net, ...part } });
  return [
    ...(net.any ? [{ words: 'net any', permissions: ofNet({ any: true }), use: NOT_COUNTED }] : []),
    ...net.listen.map((port) => ({
      words: `listen ${port}`,
      permissions: ofNet({ listen: [port] }),
      use: ({ listening }: UseSnapshot) => (listening.includes(port) ? 'listens' : 'does not listen'),
    })),
    ...net.connect.map((target) => ({
      words: `connect ${target}`,
      permissions: ofNet({ connect: [target] }),
      use: NOT_COUNTED,
    })),
    ...read.map((folder) => ({ words: `read ${folder}`, permissions: { ...none, read: [folder] }, use: NOT_COUNTED })),
    ...write.map((folder) => ({
      words: `write ${folder}`,
      permissions: { ...none, write: [folder] },
      use: NOT_COUNTED,
    })),
    ...env.map((name) => ({
      words: `env ${name}`,
      permissions: { ...none, env: [name] },
      use: ({ environment }: UseSnapshot) => (environment.includes(name) ? 'handed over' : 'not set in the host'),
    })),
    ...(kubernetes
      ? [{ words: 'kubernetes', permissions: { ...none, kubernetes }, use: () => 'connection handed over' }]
      : []),
  ];
}
