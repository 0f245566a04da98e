import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { totalmem } from 'node:os'
import path from 'node:path'
import { type Finding, fail, finding, ok, warn } from './finding.ts'

// What the program needs of the machine: the right Node, its packages, memory, disk and a clock.

const NODE_MAJOR_MIN = 24
/** What the process takes beside the compute engine: log, gateway, embedded PostgreSQL. */
const OTHER_MEMORY_MB = 768
const DISK_WARN_BYTES = 2 * 1024 ** 3
const DISK_FAIL_BYTES = 256 * 1024 ** 2
/** Nothing of this program is older. */
const OLDEST_MS = Date.UTC(2025, 0, 1)

export function checkNode(version: string): Finding {
  const major = Number(version.split('.')[0])
  return major >= NODE_MAJOR_MIN
    ? ok('node', `Node ${version}`)
    : fail(
        'node',
        `Node ${version} is too old`,
        'Start through bin/mekong or npm, which bring their own.',
      )
}

/** Packages with native or WebAssembly parts, which an interrupted or foreign installation lacks. */
export function checkPackages(): Promise<Finding> {
  return finding('packages', 'Run "npm install" in the project folder.', async () => {
    const { DuckDBInstance, version } = await import('@duckdb/node-api')
    const instance = await DuckDBInstance.create(':memory:')
    try {
      const connection = await instance.connect()
      await connection.run('SELECT 42')
      connection.closeSync()
    } finally {
      instance.closeSync()
    }
    await import('@electric-sql/pglite')
    await import('pg')
    return ok('packages', `DuckDB ${version()}, PGlite and the PostgreSQL driver load`)
  })
}

export function checkMemory(memoryMb: number): Finding {
  const totalMb = Math.floor(totalmem() / 1024 ** 2)
  const wantedMb = memoryMb + OTHER_MEMORY_MB
  return totalMb >= wantedMb
    ? ok('memory', `${totalMb} MB; the compute engine may take ${memoryMb} of it`)
    : warn(
        'memory',
        `the machine has ${totalMb} MB, and the platform may take ${wantedMb}`,
        'Set MEKONG_MEMORY_MB lower; the engine then spills to disk earlier.',
      )
}

/** Free space where the home is, or will be. */
export function checkDisk(homeFolder: string): Promise<Finding> {
  return finding('disk', 'Check the disk of the home folder.', async () => {
    const { bavail, bsize } = await statfs(nearestFolder(homeFolder))
    const freeBytes = bavail * bsize
    const free = `${(freeBytes / 1024 ** 3).toFixed(1)} GiB free where the home is`
    const todo = 'Free some space, or name a home on another disk.'
    if (freeBytes < DISK_FAIL_BYTES) return fail('disk', free, todo)
    return freeBytes < DISK_WARN_BYTES ? warn('disk', free, todo) : ok('disk', free)
  })
}

/** `newestMs`: the newest moment that the home knows of. */
export function checkClock(nowMs: number, newestMs: number | undefined): Finding {
  const now = new Date(nowMs).toISOString()
  const todo = 'Set the clock, best by NTP: arrival times, retention and rate limits follow it.'
  if (nowMs < OLDEST_MS) return fail('clock', `it says ${now}`, todo)
  if (newestMs !== undefined && newestMs > nowMs) {
    const newest = new Date(newestMs).toISOString()
    return warn('clock', `it says ${now}, and the home holds something from ${newest}`, todo)
  }
  return ok('clock', `${now}`)
}

export function nearestFolder(folder: string): string {
  return existsSync(folder) ? folder : nearestFolder(path.dirname(folder))
}
