/** The CustomResourceDefinition of Hooks, made from the schemas that khook itself reads and writes with. */

import * as z from 'zod';
import { HOOK_KIND, hookSchema, TIMEOUT_BOUNDS } from '../../host/config/hook-schema.ts';
import { hookStatusSchema } from '../../host/config/hook-status.ts';
import { type Additions, type Schema, structural } from './structural.ts';

export const CRD_NAME = 'hooks.kagent.dev';

const SPEC: Additions = {
  'eventConfigurations[]': {
    'x-kubernetes-validations': [
      {
        rule: 'has(self.agentRef) || has(self.agentId)',
        message: 'agentRef.name is missing: no agent is named',
      },
      {
        rule: '!has(self.agentRef) || !has(self.agentId)',
        message: 'agentRef and agentId name the agent twice; remove agentId',
      },
    ],
  },
  timeout: {
    type: 'string',
    maxLength: 64,
    pattern: '^[+]?([0-9]+([.][0-9]*)?(ns|us|µs|ms|s|m|h))+$',
    'x-kubernetes-validations': [
      {
        rule: `duration(self) >= duration('${TIMEOUT_BOUNDS.min}') && duration(self) <= duration('${TIMEOUT_BOUNDS.max}')`,
        message: `must be between ${TIMEOUT_BOUNDS.min} and ${TIMEOUT_BOUNDS.max}`,
      },
    ],
  },
};

const STATUS: Additions = {
  conditions: { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] },
  activeEvents: { 'x-kubernetes-list-type': 'atomic' },
  activeEventCount: { format: 'int32' },
  observedGeneration: { format: 'int64' },
  'conditions[].observedGeneration': { format: 'int64' },
};

const condition = (type: string): string => `.status.conditions[?(@.type=="${type}")].status`;

const COLUMNS = [
  { name: 'Ready', type: 'string', jsonPath: condition('Ready'), description: 'Whether khook has it in force.' },
  { name: 'Active', type: 'integer', jsonPath: '.status.activeEventCount', description: 'Events that are firing.' },
  { name: 'Last Fired', type: 'date', jsonPath: '.status.lastFired', description: 'When it fired last.' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  {
    name: 'Agents Reachable',
    type: 'string',
    jsonPath: condition('AgentReachable'),
    description: 'Whether its agents take messages.',
    priority: 1,
  },
  { name: 'Suspended', type: 'boolean', jsonPath: '.spec.suspend', description: 'Switched off.', priority: 1 },
];

export function hookCrd(): Schema {
  const [group = '', version = ''] = hookSchema.shape.apiVersion.value.split('/');
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: CRD_NAME },
    spec: {
      group,
      names: { kind: HOOK_KIND, listKind: `${HOOK_KIND}List`, plural: 'hooks', singular: 'hook', shortNames: ['hk'] },
      scope: 'Namespaced',
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: COLUMNS,
          schema: { openAPIV3Schema: openApi() },
        },
      ],
    },
  };
}

function openApi(): Schema {
  return {
    type: 'object',
    description: 'Which events an AI agent is called for, and what it is asked.',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: structural(jsonSchema(hookSchema.shape.spec), SPEC),
      status: structural(jsonSchema(hookStatusSchema), STATUS),
    },
  };
}

/** The dialect of OpenAPI 3.0 is the one that CustomResourceDefinitions are written in (`nullable`, boolean `exclusiveMinimum`). */
function jsonSchema(schema: z.ZodType): unknown {
  const form = {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    cycles: 'throw',
    unrepresentable: 'any',
  } as const;
  return z.toJSONSchema(schema, form);
}
