/** Permissions as they are written, in a manifest (requested) and in plugins.yaml (granted): one closed vocabulary for both. */

import * as z from 'zod';

const MAX_ITEMS = 256;
const MAX_TEXT = 1_024;
const CONFIG_REFERENCE = /\$\{config\.[A-Za-z_][\w.-]*\}/;

/** Every key is optional: what is left out is not asked for and not granted. `${config.x}` may still stand in any text but `env`. */
export interface WrittenPermissions {
  readonly net?:
    | true
    | { readonly any?: boolean; readonly listen?: readonly (number | string)[]; readonly connect?: readonly string[] };
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  readonly env?: readonly string[];
  readonly kubernetes?: boolean;
}

const port = z.unknown().refine((value) => isPort(value) || isReference(value), {
  error: 'must be a port between 1 and 65535 or a reference such as "${config.port}"',
}) as z.ZodType<number | string, unknown>;

const hostAndPort = z
  .string()
  .max(MAX_TEXT)
  .refine((text) => CONFIG_REFERENCE.test(text) || isHostAndPort(text), {
    error: 'must be host:port, such as kafka.example:9092',
  });

const folders = z.array(z.string().min(1).max(MAX_TEXT)).max(MAX_ITEMS);

const netLists = z.strictObject({
  any: z.boolean().exactOptional().describe('Connect anywhere but to loopback, link-local and the metadata address.'),
  listen: z.array(port).max(MAX_ITEMS).exactOptional().describe('Ports, or references such as ${config.port}.'),
  connect: z.array(hostAndPort).max(MAX_ITEMS).exactOptional().describe('host:port pairs, loopback included.'),
});

/** Strict: a key outside the vocabulary is an error. Use with checkConfig. */
export const permissionsSchema: z.ZodType<WrittenPermissions> = z.strictObject({
  net: z
    .union([z.literal(true), netLists])
    .exactOptional()
    .describe('true = connect anywhere but to loopback, link-local and the metadata address; or lists.'),
  read: folders.exactOptional().describe('Folders the plugin may read.'),
  write: folders.exactOptional().describe('Folders the plugin may write.'),
  env: z
    .array(z.string().regex(/^[A-Za-z_]\w{0,254}$/, 'must be the name of an environment variable'))
    .max(MAX_ITEMS)
    .exactOptional()
    .describe('Environment variables the plugin may see.'),
  kubernetes: z.boolean().exactOptional().describe('A connection to the cluster.'),
});

function isPort(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535;
}

function isReference(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAX_TEXT && CONFIG_REFERENCE.test(value);
}

function isHostAndPort(text: string): boolean {
  const [, digits] = /^(?:\[[0-9A-Fa-f:.]+\]|[^\s:/@]+):(\d{1,5})$/.exec(text) ?? [];
  return digits !== undefined && isPort(Number(digits));
}
