import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
  const lock = new DatabaseSync(path.join(home.path, 'lock.sqlite'), { timeout: 0 })
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
    checkVersion(home)
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

function checkVersion(home: Home): void {
  const file = path.join(home.path, VERSION_FILE)
  let found: number
  try {
    found = Number(readFileSync(file, 'utf8'))
  } catch {
    writeFileSync(file, `${HOME_VERSION}\n`)
    return
  }
  if (found !== HOME_VERSION) {
    throw new HomeVersionError(
      `The home folder ${home.path} has layout ${found}, and this program knows up to ${HOME_VERSION}. Use the newer program, or another --home.`,
    )
  }
}
