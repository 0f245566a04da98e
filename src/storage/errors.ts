import { PlatformError } from '../model/errors.ts'

/** A key that no store would take: a programming or configuration mistake, refused before any I/O. */
export class ObjectKeyError extends PlatformError {
  readonly code = 'OBJECT_KEY_INVALID'
  readonly retry = 'never'
}

/** The disk or the quota is full. Nothing was stored; free some space and try again. */
export class StorageFullError extends PlatformError {
  readonly code = 'STORAGE_FULL'
  readonly retry = 'later'
}

/** We may not read or write there. Nothing was stored. */
export class StorageDeniedError extends PlatformError {
  readonly code = 'STORAGE_DENIED'
  readonly retry = 'never'
}

/** The device or the network failed. For a read, trying again is safe; for a write, see the port. */
export class StorageIoError extends PlatformError {
  readonly code = 'STORAGE_IO'
  readonly retry = 'later'
}

/** What a statement reads at once of a remote store does not fit into the local cache. Nothing was read. */
export class ObjectCacheFullError extends PlatformError {
  readonly code = 'OBJECT_CACHE_FULL'
  readonly retry = 'later'
}

/** The simulated process that owned this store has been killed (`memory.ts`); no call of it does anything any more. */
export class SimulatedCrashError extends PlatformError {
  readonly code = 'SIMULATED_CRASH'
  readonly retry = 'never'
}

/** An operating system's error as ours. @see https://nodejs.org/api/errors.html#common-system-errors */
export function storageErrorOf(cause: unknown, attempted: string): PlatformError {
  if (cause instanceof PlatformError) return cause
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new StorageFullError(`${attempted}: no space is left. Free some and try again.`, {
        cause,
      })
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new StorageDeniedError(
        `${attempted}: not permitted (${code}). Check who owns the folder and whether it is writable.`,
        { cause },
      )
    default:
      return new StorageIoError(`${attempted}: ${code ?? String(cause)}.`, { cause })
  }
}
