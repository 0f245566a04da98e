import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Where all services live; git ignores it. */
export const SERVICES_FOLDER = path.resolve(import.meta.dirname, '../../.services')

const LOCK_WAIT_MS = 300_000

/** What is remembered of an instance between commands. `pid` is null when it was stopped. */
export interface ServiceState {
  readonly port: number
  readonly pid: number | null
}

export function readState(folder: string): ServiceState | null {
  try {
    return JSON.parse(readFileSync(path.join(folder, 'state.json'), 'utf8')) as ServiceState
  } catch {
    // Not there, or half-written by a killed command: then nothing is known, and starting finds out.
    return null
  }
}

export function writeState(folder: string, state: ServiceState): void {
  const file = path.join(folder, 'state.json')
  writeFileSync(`${file}.new`, JSON.stringify(state))
  renameSync(`${file}.new`, file)
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives, under another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Whether something listens on 127.0.0.1:`port`. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    const answer = (listening: boolean) => {
      socket.destroy()
      resolve(listening)
    }
    socket.setTimeout(1_000, () => answer(false))
    socket.once('connect', () => answer(true))
    socket.once('error', () => answer(false))
  })
}

/** `preferred` when it is free on 127.0.0.1, otherwise a port that is. */
export async function freePort(preferred = 0): Promise<number> {
  const tryPort = (port: number) =>
    new Promise<number | null>((resolve) => {
      const server = createServer()
      server.once('error', () => resolve(null))
      server.listen({ host: '127.0.0.1', port }, () => {
        const address = server.address()
        server.close(() => resolve(typeof address === 'object' && address ? address.port : null))
      })
    })
  const port = (await tryPort(preferred)) ?? (await tryPort(0))
  if (port === null) throw new Error('No free port on 127.0.0.1.')
  return port
}

/** Run `work` while no other process works on `folder`: two test files may ask for the same server at once. */
export async function locked<T>(folder: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true })
  const lock = path.join(folder, 'lock')
  const deadlineMs = Date.now() + LOCK_WAIT_MS
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const holder = holderOf(lock)
    if (holder !== null && !isAlive(holder)) rmSync(lock, { force: true })
    if (Date.now() > deadlineMs)
      throw new Error(`${lock} is held by process ${holder}; remove it when that is not so.`)
    await sleep(100)
  }
  try {
    return await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function holderOf(lock: string): number | null {
  try {
    const text = readFileSync(lock, 'utf8')
    // Empty between creation and write of the holder; look again.
    return text === '' ? null : Number(text)
  } catch {
    return null
  }
}
