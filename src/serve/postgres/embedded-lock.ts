import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'

// Who has the folder of an embedded PostgreSQL: two on one folder destroy it. SQLite's lock is the operating system's, so it
// goes when its holder dies, however it dies; PGlite's own `postmaster.pid` tells nothing.

export interface FolderLock {
  /** Tell other processes the port, for as long as the lock is held. */
  announce(port: number): void
  release(): void
}

/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5
/** Longer than `announcedPort` looks, which holds a shared lock meanwhile. */
const LOCK_WAIT_MS = 500

const lockFile = (folder: string) => path.join(folder, 'lock.sqlite')
const portFile = (folder: string) => path.join(folder, 'port')

/** Take the folder, which exists; `null` when another process, or another thread of this one, has it. */
export function lockFolder(folder: string): FolderLock | null {
  const lock = new DatabaseSync(lockFile(folder))
  if (!succeeds(lock, `PRAGMA busy_timeout = ${LOCK_WAIT_MS}; BEGIN EXCLUSIVE`)) {
    lock.close()
    return null
  }
  return {
    announce: (port) => writeFileSync(portFile(folder), String(port)),
    release: () => {
      rmSync(portFile(folder), { force: true })
      lock.close()
    },
  }
}

/** The port of the embedded PostgreSQL that runs on the folder, in whichever process; `null` when none does. */
export function announcedPort(folder: string): number | null {
  if (!existsSync(lockFile(folder))) return null
  const lock = new DatabaseSync(lockFile(folder), { readOnly: true })
  try {
    const held = !succeeds(lock, 'PRAGMA busy_timeout = 0; SELECT count(*) FROM sqlite_schema')
    if (!held || !existsSync(portFile(folder))) return null
    return Number(readFileSync(portFile(folder), 'utf8'))
  } finally {
    lock.close()
  }
}

function succeeds(lock: DatabaseSync, sql: string): boolean {
  try {
    lock.exec(sql)
    return true
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false
    throw error
  }
}
