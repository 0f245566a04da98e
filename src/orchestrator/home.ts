import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { HomeLockedError, HomeVersionError } from './errors.ts'

/** Where everything of one platform is. Absolute paths. */
export interface Home {
  readonly path: string
  readonly log: string
  readonly lake: string
  readonly state: string
  readonly serve: string
  readonly spill: string
}

/** What a running platform tells other processes on this machine. */
export interface RunningPlatform {
  readonly pid: number
  readonly url: string
  /** Where the embedded PostgreSQL answers, if it runs. */
  readonly postgresUrl?: string
}

export const HOME_VERSION = 1
const VERSION_FILE = 'VERSION'
const RUNNING_FILE = 'running.json'
const LOCK_FILE = 'lock.sqlite'
/** Longer than `homeUse` looks, which holds a shared lock meanwhile. */
const LOCK_WAIT_MS = 500

export function homeAt(folder: string): Home {
  const at = path.resolve(folder)
  return Object.freeze({
    path: at,
    log: path.join(at, 'log', 'log.sqlite'),
    lake: path.join(at, 'lake'),
    state: path.join(at, 'state.sqlite'),
    serve: path.join(at, 'serve'),
    spill: path.join(at, 'spill'),
  })
}

export interface LockedHome extends Home {
  /** Tell other processes where we are. */
  announce(running: Omit<RunningPlatform, 'pid'>): void
  release(): void
}

/**
 * Become the one process that writes to a home, making it if need be. The lock is the operating system's, held through SQLite: it is gone
 * with the process, however that ends.
 * @throws HomeLockedError naming who holds it; HomeVersionError
 */
export function lockHome(folder: string): LockedHome {
  const home = homeAt(folder)
  for (const made of [home.path, path.dirname(home.log), home.lake, home.serve]) {
    mkdirSync(made, { recursive: true })
  }
  const lock = new DatabaseSync(path.join(home.path, LOCK_FILE), { timeout: LOCK_WAIT_MS })
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    const holder = readRunning(home)
    const who = holder === undefined ? 'another process' : `process ${holder.pid} at ${holder.url}`
    throw new HomeLockedError(
      `The home folder ${home.path} is in use by ${who}. Reading commands work meanwhile; to start here, stop it first or name another --home.`,
      { cause },
    )
  }
  try {
    if (!checkHomeVersion(home)) {
      writeFileSync(path.join(home.path, VERSION_FILE), `${HOME_VERSION}\n`)
    }
  } catch (error) {
    lock.close()
    throw error
  }
  // What an unclean end left half-made is of no use to anyone: everything that counts was committed elsewhere.
  rmSync(home.spill, { recursive: true, force: true })
  mkdirSync(home.spill, { recursive: true })
  const running = path.join(home.path, RUNNING_FILE)
  rmSync(running, { force: true })
  return Object.freeze({
    ...home,
    announce: (facts: Omit<RunningPlatform, 'pid'>) =>
      writeFileSync(running, `${JSON.stringify({ pid: process.pid, ...facts })}\n`),
    release() {
      rmSync(running, { force: true })
      if (lock.isOpen) lock.close()
    },
  })
}

/** Who runs on this home, if someone does. A stale file of a killed process is seen through by its pid. */
export function readRunning(home: Home): RunningPlatform | undefined {
  try {
    const running = JSON.parse(
      readFileSync(path.join(home.path, RUNNING_FILE), 'utf8'),
    ) as RunningPlatform
    process.kill(running.pid, 0)
    return running
  } catch {
    return undefined
  }
}

/** How a home is used right now. `busy`: some process writes to it, without a front door to talk to. */
export type HomeUse =
  | { readonly status: 'absent' | 'free' | 'busy' }
  | { readonly status: 'running'; readonly running: RunningPlatform }

/** Who uses a home, asked of the lock and not only of the file that a killed process leaves behind. */
export function homeUse(home: Home): HomeUse {
  if (!existsSync(home.path)) return { status: 'absent' }
  const lockFile = path.join(home.path, LOCK_FILE)
  if (!existsSync(lockFile) || !isLocked(lockFile)) return { status: 'free' }
  const running = readRunning(home)
  return running === undefined ? { status: 'busy' } : { status: 'running', running }
}

function isLocked(lockFile: string): boolean {
  const lock = new DatabaseSync(lockFile, { readOnly: true, timeout: 0 })
  try {
    lock.exec('SELECT count(*) FROM sqlite_schema')
    return false
  } catch {
    return true
  } finally {
    lock.close()
  }
}

/** False when the home has no version yet. @throws HomeVersionError when it is a newer program's */
export function checkHomeVersion(home: Home): boolean {
  let found: number
  try {
    found = Number(readFileSync(path.join(home.path, VERSION_FILE), 'utf8'))
  } catch {
    return false
  }
  if (found !== HOME_VERSION) {
    throw new HomeVersionError(
      `The home folder ${home.path} has layout ${found}, and this program knows up to ${HOME_VERSION}. Use the newer program, or another --home.`,
    )
  }
  return true
}
