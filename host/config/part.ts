/** What one file, folder or other source of configuration gave. */

import type { Problem } from './problem.ts';

/** `digest` is of what is in force; secrets of the environment are not in it. */
export interface Part<Content> {
  readonly content: Content;
  readonly digest: string;
  readonly problems: readonly Problem[];
  /** The source as a whole could not be used: `content` is what was in force before, or the defaults. */
  readonly isRejected: boolean;
  /** For the log; nothing is wrong. */
  readonly notes: readonly string[];
}

export function goodPart<Content>(content: Content, contentDigest: string): Part<Content> {
  return { content, digest: contentDigest, problems: [], isRejected: false, notes: [] };
}

export function rejectedPart<Content>(inForce: Part<Content>, problems: readonly Problem[]): Part<Content> {
  return { ...inForce, problems, isRejected: true, notes: [] };
}
