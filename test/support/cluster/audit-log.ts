/** What the API server was asked, read from its audit log. The tests' own administrator is left out. */

import { readFileSync } from 'node:fs';

export interface AuditedRequest {
  readonly verb: string;
  readonly user: string;
  readonly uri: string;
  /** 0: a watch that goes on. */
  readonly code: number;
  readonly userAgent: string;
}

interface AuditLine {
  readonly auditID: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly userAgent?: string;
  readonly user: { readonly username: string };
  readonly responseStatus?: { readonly code?: number };
}

/** In the order of their answers, each request once. `user`: as RBAC names it. */
export function readAuditLog(file: string, user?: string): AuditedRequest[] {
  const requests = new Map<string, AuditedRequest>();
  for (const text of readFileSync(file, 'utf8').split('\n')) {
    // The last line may still be written.
    if (!text.endsWith('}')) continue;
    const line = JSON.parse(text) as AuditLine;
    if (user !== undefined && line.user.username !== user) continue;
    requests.set(line.auditID, {
      verb: line.verb,
      user: line.user.username,
      uri: line.requestURI,
      code: line.responseStatus?.code ?? 0,
      userAgent: line.userAgent ?? '',
    });
  }
  return [...requests.values()];
}
