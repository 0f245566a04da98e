import type { SessionRow, StoredAuditEntry } from '../model/access.ts'
import type { KeyRow } from '../state/key-rows.ts'
import { instant } from './views.ts'

// Keys, sessions and the audit log as JSON. Never a hash: it is of no use to people, and of some to an attacker.

export const keyView = ({ name, role, recordsPerSecondMax, createdMs, revokedMs }: KeyRow) => ({
  name,
  role,
  records_per_second_max: recordsPerSecondMax,
  created_at: instant(createdMs),
  revoked_at: revokedMs === null ? null : instant(revokedMs),
})

export const sessionView = (
  { id, keyName, createdMs, seenMs, expiresMs, address, agent }: SessionRow,
  idleMs: number,
) => ({
  id,
  key: keyName,
  began_at: instant(createdMs),
  seen_at: instant(seenMs),
  /** When it is over if nothing more is asked. */
  expires_at: instant(Math.min(expiresMs, seenMs + idleMs)),
  ends_at: instant(expiresMs),
  address,
  agent,
})

export type AuditView = ReturnType<typeof auditView>

export const auditView = ({ atMs, ...entry }: StoredAuditEntry) => ({
  id: entry.id,
  at: instant(atMs),
  actor: entry.actor,
  by: entry.by,
  role: entry.role,
  session: entry.session,
  address: entry.address,
  action: entry.action,
  subject: entry.subject,
  outcome: entry.outcome,
  status: entry.status,
  detail: entry.detail,
})
