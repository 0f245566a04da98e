import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ACCESS_LAYOUT } from './access-layout.ts'
import { StateUnavailableError, StateVersionError } from './errors.ts'
import { RUN_LAYOUT } from './run-layout.ts'

const LETTERS_AND_KEYS = `
CREATE TABLE letters (
  id TEXT PRIMARY KEY,
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
  value_hash BLOB NOT NULL,
  headers TEXT NOT NULL,
  arrived_ms INTEGER NOT NULL,
  first_seen_ms INTEGER NOT NULL,
  last_seen_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  status TEXT NOT NULL,
  fixed BLOB,
  replayed_to TEXT,
  note TEXT,
  UNIQUE (pipeline, hop, topic, partition, "offset")
);
CREATE INDEX letters_by_value ON letters (pipeline, hop, topic, value_hash) WHERE partition < 0;
CREATE INDEX letters_by_age ON letters (first_seen_ms, id);
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE api_keys (
  name TEXT PRIMARY KEY,
  hash TEXT NOT NULL,
  records_per_second_max INTEGER,
  created_ms INTEGER NOT NULL,
  revoked_ms INTEGER
);
`

/** What each version added to the one before; never changed once released. */
const LAYOUTS: readonly string[] = [LETTERS_AND_KEYS, RUN_LAYOUT, ACCESS_LAYOUT]

/** The layout that brought runs. */
export const RUNS_SINCE_LAYOUT = 2

/** Of the file's tables; kept in SQLite's `user_version`. */
export const STATE_LAYOUT_VERSION = LAYOUTS.length

/**
 * Open the state file, making it if need be. Each commit is fsynced (`synchronous = FULL`).
 * @throws StateVersionError, StateUnavailableError
 */
export function openStateFile(file: string, readOnly: boolean): DatabaseSync {
  let database: DatabaseSync
  try {
    if (!readOnly) mkdirSync(path.dirname(file), { recursive: true })
    database = new DatabaseSync(file, { readOnly, timeout: 5_000 })
  } catch (cause) {
    throw new StateUnavailableError(
      `The state file ${file} cannot be opened: ${(cause as Error).message}.`,
      { cause },
    )
  }
  try {
    const { user_version: version } = database.prepare('PRAGMA user_version').get() as {
      user_version: number
    }
    if (version > STATE_LAYOUT_VERSION) {
      throw new StateVersionError(
        `The state file ${file} has layout ${version}, and this program knows up to ${STATE_LAYOUT_VERSION}. Use the newer program.`,
      )
    }
    if (readOnly) return database
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    if (version < STATE_LAYOUT_VERSION) bringUpToDate(database)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Another process may do the same at the same time: who comes second finds it done. */
function bringUpToDate(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE')
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as {
    user_version: number
  }
  for (const layout of LAYOUTS.slice(version)) database.exec(layout)
  database.exec(`PRAGMA user_version = ${STATE_LAYOUT_VERSION}; COMMIT`)
}
