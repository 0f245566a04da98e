import type { DatabaseSync } from 'node:sqlite'
import type { AuditEnding, AuditEntry, AuditOutcome, StoredAuditEntry } from '../model/access.ts'

/** What to show of the audit log. */
export interface AuditPage {
  /** Only older ones than this number. */
  readonly before?: number
  readonly actor?: string
  /** The whole word, or the part before its dot. */
  readonly action?: string
  readonly outcome?: AuditOutcome
  /** Default 100. */
  readonly limit?: number
}

/** What is kept, newest first; some 40 MB at most. */
export const AUDIT_ENTRY_COUNT_MAX = 100_000
/** Refusals have a bound of their own: whoever knocks all night must not push out what was done. */
export const AUDIT_REFUSAL_COUNT_MAX = 10_000
/** Looked at once in so many entries. */
const PRUNE_EVERY = 100
const TEXT_LENGTH_MAX = 500

const COLUMNS =
  'id, at_ms AS atMs, actor, by, session, role, address, action, subject, outcome, status, detail'

/** The audit log as rows, on the state's thread. */
export function auditRows(database: DatabaseSync, atomically: <T>(work: () => T) => T) {
  return {
    addAudit: (entry: AuditEntry): number =>
      atomically(() => {
        const { lastInsertRowid } = database
          .prepare(
            `INSERT INTO audit (at_ms, actor, by, session, role, address, action, subject, outcome, status, detail)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          )
          .run(
            ...[entry.atMs, entry.actor, entry.by, entry.session, entry.role, entry.address],
            ...[entry.action, cut(entry.subject), entry.outcome, entry.status],
            entry.detail === null ? null : cut(entry.detail),
          )
        const id = Number(lastInsertRowid)
        if (id % PRUNE_EVERY === 0) prune(database)
        return id
      }),

    endAudit: ({ id, ...ending }: AuditEnding & { readonly id: number }): void => {
      database
        .prepare(
          'UPDATE audit SET outcome = ?, status = ?, detail = ?, subject = coalesce(?, subject) WHERE id = ?',
        )
        .run(
          ...[ending.outcome, ending.status, ending.detail === null ? null : cut(ending.detail)],
          ...[ending.subject === undefined ? null : cut(ending.subject), id],
        )
    },

    audit: (page: AuditPage): readonly StoredAuditEntry[] => {
      const { user_version: version } = database.prepare('PRAGMA user_version').get() as {
        user_version: number
      }
      // For looking only, a file from before there was an audit log is opened as it is.
      if (version < AUDIT_SINCE_LAYOUT) return []
      return database
        .prepare(
          `SELECT ${COLUMNS} FROM audit
           WHERE ($before IS NULL OR id < $before) AND ($actor IS NULL OR actor = $actor)
             AND ($action IS NULL OR action = $action OR action LIKE $action || '.%')
             AND ($outcome IS NULL OR outcome = $outcome)
           ORDER BY id DESC LIMIT $limit`,
        )
        .all({
          $before: page.before ?? null,
          $actor: page.actor ?? null,
          $action: page.action ?? null,
          $outcome: page.outcome ?? null,
          $limit: page.limit ?? 100,
        }) as unknown as StoredAuditEntry[]
    },
  }
}

/** The layout of the state file that brought the audit log. */
const AUDIT_SINCE_LAYOUT = 3

function prune(database: DatabaseSync): void {
  const newestKept = (where: string, count: number) =>
    `(SELECT id FROM audit WHERE ${where} ORDER BY id DESC LIMIT 1 OFFSET ${count})`
  database.exec(
    `DELETE FROM audit WHERE outcome = 'refused' AND id <= ${newestKept("outcome = 'refused'", AUDIT_REFUSAL_COUNT_MAX)};
     DELETE FROM audit WHERE id <= ${newestKept('true', AUDIT_ENTRY_COUNT_MAX)};`,
  )
}

const cut = (text: string): string =>
  text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}…` : text
