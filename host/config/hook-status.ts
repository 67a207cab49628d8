/** What khook writes into a Hook's status in the cluster. The CRD's status is generated from this schema: `npm run crd:generate`. */

import * as z from 'zod';

/** Entries of `activeEvents`; the writer leaves out the oldest ones beyond it. */
export const MAX_ACTIVE_EVENTS = 1_000;
const MAX_CONDITIONS = 16;
/** Of event types and sources as mappings may name them, and of names as events may carry them. */
const MAX_WORD = 256;
const MAX_NAME = 1_024;
/** Hook, source, internal type, namespace and resource in one; a longer one is not written. */
export const MAX_KEY = 4_096;

export const ACTIVE_EVENT_STATES = ['firing', 'resolved'] as const;
export const HOOK_CONDITIONS = ['Ready', 'AgentReachable'] as const;

const instant = z.iso.datetime({ offset: true });

/** One dedup key of the Hook. The first five fields are those that older khooks wrote; they alone are required. */
const activeEvent = z.object({
  eventType: z.string().max(MAX_WORD).describe('The type of the event, as the Hook names it.'),
  resourceName: z.string().max(MAX_NAME).describe('What the event is about.'),
  firstSeen: instant.describe('When it fired first.'),
  lastSeen: instant.describe('When the same event was last seen, duplicates included.'),
  status: z.enum(ACTIVE_EVENT_STATES).describe('firing within the dedup window, resolved after it.'),
  namespace: z.string().max(MAX_NAME).optional().describe('Namespace of the resource; absent: it has none.'),
  source: z.string().max(MAX_WORD).optional().describe('The plugin that told of it.'),
  dedupKey: z.string().max(MAX_KEY).optional().describe('By which khook knows the same event again.'),
  messageId: z.string().max(128).optional().describe('Of the message that the agent was sent.'),
  lastNotified: instant.optional().describe('When an agent took it last; absent: no agent has yet.'),
});

/** metav1.Condition. */
const condition = z.object({
  type: z.string().max(316).describe('Ready: the Hook is in force. AgentReachable: its agents take messages.'),
  status: z.enum(['True', 'False', 'Unknown']),
  observedGeneration: z.int().min(0).optional().describe('The generation of the Hook that it is about.'),
  lastTransitionTime: instant.describe('When the status last changed.'),
  reason: z
    .string()
    .min(1)
    .max(1_024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    .describe('One word for programs.'),
  message: z.string().max(32_768).describe('A sentence for people.'),
});

export const hookStatusSchema = z.object({
  observedGeneration: z.int().min(0).optional().describe('The generation of the Hook that khook has read.'),
  conditions: z.array(condition).max(MAX_CONDITIONS).optional().describe('Whether the Hook is in force, and why not.'),
  activeEvents: z
    .array(activeEvent)
    .max(MAX_ACTIVE_EVENTS)
    .optional()
    .describe('What fired and is still within its dedup window, and what was resolved lately.'),
  activeEventCount: z.int().min(0).optional().describe('How many events are firing.'),
  lastFired: instant.optional().describe('When the Hook fired last.'),
  lastUpdated: instant.optional().describe('When khook wrote this status last.'),
});

export type HookStatus = z.output<typeof hookStatusSchema>;
export type ActiveEvent = z.output<typeof activeEvent>;
export type HookCondition = z.output<typeof condition>;
