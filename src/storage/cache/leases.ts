import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import path from 'node:path'

// Each process that uses a cache has a folder with links to the files it reads, and what it fetches: `<host>_<pid>_<uuid>`. They go with the process's last
// deed, or, after a crash, when the next one comes.

/** A folder of a host that we know nothing of belongs to nobody after this: no process reads for so long without being opened anew. */
const LEASE_AGE_MAX_MS = 7 * 24 * 60 * 60 * 1000

/** A new folder for this process's links. */
export function makeLeaseFolder(cacheFolder: string): string {
  const name = `${hostname().replaceAll('_', '-')}_${process.pid}_${randomUUID()}`
  const folder = path.join(cacheFolder, 'leases', name)
  mkdirSync(folder)
  return folder
}

/** Remove what processes left that are no more. */
export function sweepLeases(cacheFolder: string): void {
  const leases = path.join(cacheFolder, 'leases')
  for (const name of readdirSync(leases))
    if (isAbandoned(path.join(leases, name)))
      rmSync(path.join(leases, name), { recursive: true, force: true })
}

function isAbandoned(folder: string): boolean {
  const [host, pid] = path.basename(folder).split('_')
  if (host !== hostname().replaceAll('_', '-')) return ageMs(folder) > LEASE_AGE_MAX_MS
  return !isAlive(Number(pid))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    // Somebody else's process is a process.
    return (cause as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function ageMs(file: string): number {
  const found = statSync(file, { throwIfNoEntry: false })
  return found === undefined ? 0 : Date.now() - found.mtimeMs
}
