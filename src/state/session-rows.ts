import type { DatabaseSync } from 'node:sqlite'
import type { SessionRow } from '../model/access.ts'

/** Sessions that are kept at one time; past it the ones not seen for longest are over. */
const SESSION_COUNT_MAX = 1_000

const COLUMNS = `id, hash, key_name AS keyName, created_ms AS createdMs, seen_ms AS seenMs, expires_ms AS expiresMs,
  ended_ms AS endedMs, address, agent`

/** Sessions as rows, on the state's thread. Those that are over are forgotten when the next one begins: the audit log remembers. */
export function sessionRows(database: DatabaseSync, atomically: <T>(work: () => T) => T) {
  return {
    sessions: (): readonly SessionRow[] =>
      database
        .prepare(`SELECT ${COLUMNS} FROM sessions ORDER BY seen_ms DESC, id`)
        .all() as unknown as SessionRow[],

    findSession: (id: string): SessionRow | undefined =>
      database.prepare(`SELECT ${COLUMNS} FROM sessions WHERE id = ?`).get(id) as
        | SessionRow
        | undefined,

    addSession: (row: SessionRow): void =>
      atomically(() => {
        database
          .prepare('DELETE FROM sessions WHERE ended_ms IS NOT NULL OR expires_ms <= ?')
          .run(row.createdMs)
        database
          .prepare(
            `DELETE FROM sessions WHERE id IN
             (SELECT id FROM sessions ORDER BY seen_ms DESC LIMIT -1 OFFSET ?)`,
          )
          .run(SESSION_COUNT_MAX - 1)
        database
          .prepare('INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
          .run(
            ...[row.id, row.hash, row.keyName, row.createdMs, row.seenMs, row.expiresMs],
            ...[row.endedMs, row.address, row.agent],
          )
      }),

    touchSession: ({ id, nowMs }: { readonly id: string; readonly nowMs: number }): void => {
      database
        .prepare('UPDATE sessions SET seen_ms = ? WHERE id = ? AND ended_ms IS NULL')
        .run(nowMs, id)
    },

    /** False when there is no such session, or it is over. */
    endSession: ({ id, nowMs }: { readonly id: string; readonly nowMs: number }): boolean =>
      database
        .prepare('UPDATE sessions SET ended_ms = ? WHERE id = ? AND ended_ms IS NULL')
        .run(nowMs, id).changes === 1,
  }
}
