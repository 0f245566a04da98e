import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { LogLockedError, LogUnavailableError, LogVersionError } from '../errors.ts'
import { SQLITE_BUSY, sqliteCode } from '../sqlite-errors.ts'

// The SQLite file of the embedded log: its tables, its version, and how it is opened. Everything
// here is synchronous and runs on the log's own threads.
//
// A batch's row number says where it is: `partition number << 44 | offset of its first record`. So
// a batch costs one insert into one B-tree, and a partition is a range of it. `number` counts the
// partitions of all topics; 2^19 partitions and 1.7e13 records in each are the bounds.

/** Version of the tables, in `PRAGMA user_version`. */
export const LOG_LAYOUT_VERSION = 1
/** In the file's header, "MkLg", so that another program's file is not taken for a log. */
const APPLICATION_ID = 0x4d6b4c67
const PAGE_BYTES = 4096
/**
 * Pages in the write-ahead log after which a commit also copies them home: 16 MiB, so that this
 * happens a few times a second at most.
 */
const CHECKPOINT_PAGES = 4096

export const OFFSET_BITS = 44

const TABLES = `
  CREATE TABLE topic (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    partition_count INTEGER NOT NULL,
    retention_ms INTEGER,
    retention_bytes INTEGER,
    duplicate_count INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  -- offset_floor: the next offset when no batch is kept; what retention dropped lies below it.
  CREATE TABLE partition (
    number INTEGER PRIMARY KEY,
    topic_id INTEGER NOT NULL REFERENCES topic (id),
    partition INTEGER NOT NULL,
    offset_floor INTEGER NOT NULL DEFAULT 0,
    UNIQUE (topic_id, partition)
  ) STRICT;
  CREATE TABLE batch (
    place INTEGER PRIMARY KEY,
    record_count INTEGER NOT NULL,
    arrived_ms_max REAL NOT NULL,
    bytes INTEGER NOT NULL,
    blob BLOB NOT NULL
  ) STRICT;
  CREATE TABLE record_id (
    topic_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    partition INTEGER NOT NULL,
    record_offset INTEGER NOT NULL,
    PRIMARY KEY (topic_id, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE group_offset (
    group_name TEXT NOT NULL,
    topic_id INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    PRIMARY KEY (group_name, topic_id, partition)
  ) STRICT, WITHOUT ROWID;
`

export interface WriteFileOptions {
  readonly file: string
  /** `undefined` lets the file grow as far as the disk goes. */
  readonly fileBytesMax?: number
}

/**
 * A log's file opened by its one writer, created when it is not there. `close` frees the file for
 * another writer.
 */
export interface WritableLogFile {
  readonly database: DatabaseSync
  close(): void
}

/** @throws LogLockedError, LogVersionError, LogUnavailableError */
export function openLogFileToWrite({ file, fileBytesMax }: WriteFileOptions): WritableLogFile {
  mkdirSync(path.dirname(file), { recursive: true })
  const lock = takeWriterLock(file)
  try {
    const database = new DatabaseSync(file)
    try {
      // FULL: every commit is fsynced, so an acknowledged append survives the loss of power
      // (SQLite, "PRAGMA synchronous").
      database.exec(`PRAGMA page_size = ${PAGE_BYTES};
        PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;
        PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA journal_size_limit = 67108864;
        PRAGMA cache_size = -32768`)
      createOrCheckLayout(database, file)
      const pagesMax =
        fileBytesMax === undefined ? 0xfffffffe : Math.floor(fileBytesMax / PAGE_BYTES)
      database.exec(`PRAGMA max_page_count = ${pagesMax}`)
    } catch (error) {
      database.close()
      throw error
    }
    return {
      database,
      close: () => {
        database.close()
        lock.close()
      },
    }
  } catch (error) {
    lock.close()
    throw error
  }
}

/**
 * The file opened for reading while its writer may run. @throws LogUnavailableError when there is
 * none, LogVersionError
 */
export function openLogFileToRead(file: string): DatabaseSync {
  if (!existsSync(file))
    throw new LogUnavailableError(
      `There is no log at ${file} yet. It appears when the platform first runs with this home.`,
    )
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    database.exec('PRAGMA busy_timeout = 5000; PRAGMA cache_size = -8192')
    checkVersion(database, file)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/**
 * A second, empty SQLite file whose exclusive lock the writer holds. The operating system frees it
 * when the process ends however it ends, which a file with a process id in it cannot promise.
 */
function takeWriterLock(file: string): DatabaseSync {
  const lock = new DatabaseSync(`${file}.lock`)
  try {
    lock.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if (sqliteCode(error) !== SQLITE_BUSY) throw error
    throw new LogLockedError(
      `The log ${file} is being written by another process. Stop it, or use another home.`,
      { cause: error },
    )
  }
}

function createOrCheckLayout(database: DatabaseSync, file: string): void {
  if (checkVersion(database, file) === LOG_LAYOUT_VERSION) return
  database.exec(`BEGIN IMMEDIATE; ${TABLES}
    PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${LOG_LAYOUT_VERSION}; COMMIT`)
}

/** The file's layout version; 0 when it is still empty. */
function checkVersion(database: DatabaseSync, file: string): number {
  const numberOf = (pragma: string) =>
    Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0])
  const version = numberOf('user_version')
  const isEmpty = numberOf('schema_version') === 0
  if (!isEmpty && numberOf('application_id') !== APPLICATION_ID)
    throw new LogVersionError(`${file} is an SQLite file, but not a Mekong log.`)
  if (version > LOG_LAYOUT_VERSION)
    throw new LogVersionError(
      `The log ${file} has layout version ${version}; this Mekong reads up to ${LOG_LAYOUT_VERSION}. Nothing was changed. Use the newer Mekong that wrote it.`,
    )
  return version
}
