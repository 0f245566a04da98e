import type { DatabaseSync } from 'node:sqlite'
import type { Role } from '../model/access.ts'

/** An API key as it is kept: only its hash. */
export interface KeyRow {
  readonly name: string
  readonly hash: string
  readonly role: Role
  readonly recordsPerSecondMax: number | null
  readonly createdMs: number
  readonly revokedMs: number | null
}

/** API keys as rows, on the state's thread. */
export function keyRows(database: DatabaseSync, atomically: <T>(work: () => T) => T) {
  return {
    keys: (): readonly KeyRow[] =>
      database
        .prepare(
          `SELECT name, hash, role, records_per_second_max AS recordsPerSecondMax, created_ms AS createdMs, revoked_ms AS revokedMs
           FROM api_keys ORDER BY name`,
        )
        .all() as unknown as KeyRow[],

    /** False when the name is taken. */
    addKey: (key: Omit<KeyRow, 'revokedMs'>): boolean =>
      atomically(
        () =>
          database
            .prepare(
              'INSERT OR IGNORE INTO api_keys (name, hash, records_per_second_max, created_ms, role) VALUES (?, ?, ?, ?, ?)',
            )
            .run(key.name, key.hash, key.recordsPerSecondMax, key.createdMs, key.role).changes ===
          1,
      ),

    /** False when there is no such key in force. */
    revokeKey: ({ name, nowMs }: { readonly name: string; readonly nowMs: number }): boolean =>
      atomically(
        () =>
          database
            .prepare('UPDATE api_keys SET revoked_ms = ? WHERE name = ? AND revoked_ms IS NULL')
            .run(nowMs, name).changes === 1,
      ),
  }
}
