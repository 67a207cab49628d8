import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { hookSchema } from '../../../host/config/hook-schema.ts';
import { hookStatusSchema } from '../../../host/config/hook-status.ts';
import { crdText } from '../../../scripts/crd/crd-text.ts';
import { hookCrd } from '../../../scripts/crd/hook-crd.ts';
import type { Schema } from '../../../scripts/crd/structural.ts';
import { schemaKeys } from '../../support/schema-keys.ts';

interface Version {
  readonly schema: { readonly openAPIV3Schema: Schema };
  readonly additionalPrinterColumns: readonly { readonly jsonPath: string; readonly name: string }[];
}

const [version] = (hookCrd().spec as { versions: Version[] }).versions as [Version];
const root = version.schema.openAPIV3Schema;

/** `spec.namespaces[]` of every node below, in the order of the schema. */
function paths(node: Schema, path = ''): string[] {
  const children = Object.entries((node.properties ?? {}) as Record<string, Schema>);
  const below = children.flatMap(([key, child]) => {
    const own = path === '' ? key : `${path}.${key}`;
    const items = child.items as Schema | undefined;
    return [own, ...paths(items ?? child, items === undefined ? own : `${own}[]`)];
  });
  return below;
}

function nodes(node: Schema): Schema[] {
  const children = Object.values((node.properties ?? {}) as Record<string, Schema>);
  const items = node.items as Schema | undefined;
  return [node, ...[...children, ...(items === undefined ? [] : [items])].flatMap(nodes)];
}

describe('CustomResourceDefinition of Hooks', () => {
  it('is the one that the chart installs', () => {
    const file = readFileSync(resolve('deploy/helm/khook/crds/hooks.yaml'), 'utf8');
    assert.equal(file, crdText(), 'run `npm run crd:generate`');
  });

  it('has each field that khook reads and writes, and no other', () => {
    const spec = schemaKeys(hookSchema.shape.spec).map(({ path }) => `spec.${path}`);
    const status = schemaKeys(hookStatusSchema).map(({ path }) => `status.${path}`);
    assert.deepEqual(paths(root), ['apiVersion', 'kind', 'metadata', 'spec', ...spec, 'status', ...status]);
  });

  it('has a type in every node, and a bound in every list', () => {
    for (const node of nodes(root)) {
      assert.equal(typeof node.type, 'string', JSON.stringify(node));
      if (node.type === 'array') assert.ok(Number(node.maxItems) > 0, JSON.stringify(node));
    }
  });

  it('asks of an active event no more than older khooks wrote', () => {
    const { activeEvents } = (root.properties as { status: Schema }).status.properties as { activeEvents: Schema };
    assert.deepEqual([...((activeEvents.items as Schema).required as string[])].sort(), [
      'eventType',
      'firstSeen',
      'lastSeen',
      'resourceName',
      'status',
    ]);
  });

  it('shows columns of fields that are there', () => {
    const known = new Set(paths(root));
    for (const { jsonPath, name } of version.additionalPrinterColumns) {
      const path = jsonPath.slice(1).replace(/\[\?\(@\.type=="\w+"\)\]/, '[]');
      assert.ok(known.has(path) || path === 'metadata.creationTimestamp', `${name}: ${path}`);
    }
  });
});
