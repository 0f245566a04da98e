import type { DatabaseSync } from 'node:sqlite'
import { StateLayoutError } from './errors.ts'

// The state file's layout. `application_id` says that the file is ours, `user_version` which layout it has; layouts migrate
// forward, one step after another, inside one transaction. A release never touches a file newer than itself.

/** "Mkng". */
const APPLICATION_ID = 0x4d6b6e67

/** Step `n` brings a file from layout `n` to `n + 1`. Steps that were released are never changed. */
const STEPS: readonly string[] = [
  `CREATE TABLE dead_letters (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL,
     pipeline TEXT NOT NULL,
     hop TEXT NOT NULL,
     topic TEXT NOT NULL,
     partition INTEGER NOT NULL,
     "offset" INTEGER NOT NULL,
     record_id TEXT NOT NULL,
     key TEXT,
     reason TEXT NOT NULL,
     message TEXT NOT NULL,
     value BLOB NOT NULL,
     sha256 BLOB NOT NULL,
     headers TEXT NOT NULL,
     arrived_ms INTEGER NOT NULL,
     first_seen_ms INTEGER NOT NULL,
     last_seen_ms INTEGER NOT NULL,
     attempts INTEGER NOT NULL,
     status TEXT NOT NULL CHECK (status IN ('open', 'fixed', 'replayed', 'dropped')),
     fixed BLOB,
     replay_partition INTEGER,
     replay_offset INTEGER,
     note TEXT,
     UNIQUE (pipeline, hop, topic, partition, "offset")
   ) STRICT;
   CREATE INDEX dead_letters_id ON dead_letters (id);
   CREATE INDEX dead_letters_status ON dead_letters (status, seq);
   CREATE INDEX dead_letters_bytes ON dead_letters (pipeline, hop, topic, sha256) WHERE partition = -1;
   CREATE TABLE gateway_counts (
     topic TEXT PRIMARY KEY,
     rejected INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE settings (
     key TEXT PRIMARY KEY,
     value TEXT NOT NULL,
     updated_ms INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE applied_plans (
     pipeline TEXT NOT NULL,
     version INTEGER NOT NULL,
     plan TEXT NOT NULL,
     applied_ms INTEGER NOT NULL,
     PRIMARY KEY (pipeline, version)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE api_keys (
     hash TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     roles TEXT NOT NULL,
     created_ms INTEGER NOT NULL,
     revoked_ms INTEGER
   ) STRICT, WITHOUT ROWID;`,
]

export const STATE_LAYOUT = STEPS.length

/** Bring a file to this release's layout. @throws StateLayoutError when it is newer, or not ours */
export function migrate(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    const layout = checkLayout(database)
    for (const step of STEPS.slice(layout)) database.exec(step)
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
    database.exec(`PRAGMA user_version = ${STATE_LAYOUT}`)
    database.exec('COMMIT')
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}

/** The layout of a file that this release can read; 0 for an empty one. @throws StateLayoutError */
export function checkLayout(database: DatabaseSync): number {
  const read = (pragma: string) => Number(Object.values(database.prepare(pragma).get()!)[0])
  const layout = read('PRAGMA user_version')
  const application = read('PRAGMA application_id')
  const empty = read('SELECT count(*) FROM sqlite_schema') === 0
  if (application !== APPLICATION_ID && !(empty && layout === 0))
    throw new StateLayoutError('This is not a state file of Mekong. It was left as it is.')
  if (layout > STATE_LAYOUT)
    throw new StateLayoutError(
      `The state file has layout ${layout}, and this release knows layouts up to ${STATE_LAYOUT}. ` +
        'It was left as it is. Use the release that wrote it, or a newer one.',
    )
  return layout
}
