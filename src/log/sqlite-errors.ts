// Primary result codes, https://www.sqlite.org/rescode.html
export const SQLITE_BUSY = 5
const SQLITE_READONLY = 8
const SQLITE_IOERR = 10
const SQLITE_FULL = 13
const SQLITE_CANTOPEN = 14

/**
 * SQLite's primary result code of an error thrown by `node:sqlite`, or `null` for another error.
 */
export function sqliteCode(error: unknown): number | null {
  const { errcode } = (error ?? {}) as { errcode?: unknown }
  return typeof errcode === 'number' ? errcode & 0xff : null
}

/**
 * Why the file cannot be written just now, for people; `null` when the error is not about the disk.
 */
export function diskTrouble(error: unknown): string | null {
  switch (sqliteCode(error)) {
    case SQLITE_FULL:
      return 'the disk, or the size allowed for the log, is full; free space or let retention drop old records'
    case SQLITE_IOERR:
      return 'the disk reported an error while the log was written; check it'
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return "the log's file cannot be written; check its permissions and its disk"
    case SQLITE_BUSY:
      return "the log's file is locked by another program"
    default:
      return null
  }
}
