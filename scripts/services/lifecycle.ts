import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  freePort,
  isAlive,
  isListening,
  locked,
  readState,
  SERVICES_FOLDER,
  writeState,
} from './place.ts'
import type { Server, Service, ServicePlace, Toolset } from './service.ts'

const READY_WAIT_MS = 90_000
const STOP_WAIT_MS = 20_000
const LOOK_AGAIN_MS = 150

export interface StartOptions {
  /** A second, separate server of the kind, for tests that hurt it. */
  readonly instance?: string
  /** Use this port; fails when it is taken by something else. */
  readonly port?: number
  readonly say?: (line: string) => void
}

/** A server that runs. It stays running after the process that holds this ends. */
export interface ServiceHandle {
  readonly name: string
  readonly port: number
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  /** Bring it back on the same port after `stop` or `kill`; returns when it is ready. */
  start(): Promise<void>
  /** Stop it cleanly; returns when the process is gone. */
  stop(): Promise<void>
  /** SIGKILL, as if the machine had lost it; returns when the process is gone. */
  kill(): Promise<void>
}

/**
 * Start `service`, or find it running; returns when it is ready. @throws Error that names its log
 * when it does not get ready.
 */
export async function startService(
  service: Server,
  options: StartOptions = {},
): Promise<ServiceHandle> {
  const folder = folderOf(service, options.instance)
  const say = options.say ?? (() => {})
  const port = await locked(folder, async () => {
    const state = readState(folder)
    const stopped = state?.pid == null || !isAlive(state.pid)
    if (!stopped && (options.port === undefined || options.port === state.port)) {
      await waitUntilReady(service, placeOf(service, folder, state.port, say), state.pid)
      return state.port
    }
    if (!stopped)
      throw new Error(`${service.name} runs on port ${state.port}; stop it first to move it.`)
    const chosen = options.port ?? (await freePort(state?.port ?? service.portDefault))
    await launch(service, placeOf(service, folder, chosen, say))
    return chosen
  })
  const place = placeOf(service, folder, port, say)
  return {
    name: service.name,
    port,
    folder,
    environment: service.environment(place),
    start: async () => void (await startService(service, { ...options, port })),
    stop: () => stopService(service, options.instance),
    kill: () => endProcess(folder, 'SIGKILL'),
  }
}

/** A toolset that is there and whole. */
export interface ToolsetHandle {
  readonly name: string
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
}

/** Fetch what `toolset` needs, or find it there. @throws Error when it cannot be fetched */
export async function prepareToolset(
  toolset: Toolset,
  say: (line: string) => void = () => {},
): Promise<ToolsetHandle> {
  const folder = folderOf(toolset)
  const place = { folder, downloadFolder: downloadFolderOf(toolset), say }
  await locked(folder, () => toolset.prepare(place))
  return { name: toolset.name, folder, environment: toolset.environment(place) }
}

export async function stopService(service: Server, instance?: string): Promise<void> {
  await endProcess(folderOf(service, instance), service.stopSignal ?? 'SIGTERM')
}

export async function serviceStatus(
  service: Server,
  instance?: string,
): Promise<{
  running: boolean
  port: number | null
  environment: Readonly<Record<string, string>>
}> {
  const folder = folderOf(service, instance)
  const state = readState(folder)
  if (state === null) return { running: false, port: null, environment: {} }
  const place = placeOf(service, folder, state.port, () => {})
  const running = state.pid !== null && isAlive(state.pid) && (await service.ready(place))
  return { running, port: state.port, environment: service.environment(place) }
}

function folderOf(service: Service, instance?: string): string {
  const name = instance === undefined ? service.name : `${service.name}-${instance}`
  return path.join(SERVICES_FOLDER, name)
}

function placeOf(
  service: Service,
  folder: string,
  port: number,
  say: (line: string) => void,
): ServicePlace {
  return { folder, downloadFolder: downloadFolderOf(service), port, say }
}

const downloadFolderOf = (service: Service) => path.join(SERVICES_FOLDER, 'downloads', service.name)

async function launch(service: Server, place: ServicePlace): Promise<void> {
  if (await isListening(place.port))
    throw new Error(`Port ${place.port} is in use; ${service.name} was not started.`)
  mkdirSync(place.folder, { recursive: true })
  // Instances share the downloads, so only one at a time may fill them.
  await locked(place.downloadFolder, () => service.prepare(place))
  const { file, args, env, cwd, uid, gid } = service.command(place)
  const log = openSync(path.join(place.folder, 'server.log'), 'a')
  const child = spawn(file, args, {
    cwd: cwd ?? place.folder,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', log, log],
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  })
  closeSync(log)
  const pid = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('spawn', () => resolve(child.pid!))
  })
  child.unref()
  writeState(place.folder, { port: place.port, pid })
  place.say(`${service.name}: starting on 127.0.0.1:${place.port}`)
  await waitUntilReady(service, place, pid)
  await service.afterStart?.(place)
}

async function waitUntilReady(service: Server, place: ServicePlace, pid: number): Promise<void> {
  const deadlineMs = Date.now() + READY_WAIT_MS
  const log = path.join(place.folder, 'server.log')
  while (!(await service.ready(place))) {
    if (!isAlive(pid)) throw new Error(`${service.name} ended while starting; see ${log}`)
    if (Date.now() > deadlineMs)
      throw new Error(`${service.name} is not ready after ${READY_WAIT_MS} ms; see ${log}`)
    await sleep(LOOK_AGAIN_MS)
  }
}

async function endProcess(folder: string, signal: NodeJS.Signals): Promise<void> {
  const state = readState(folder)
  if (state?.pid == null) return
  const { pid } = state
  const killAtMs = Date.now() + STOP_WAIT_MS
  let next: NodeJS.Signals | null = signal
  while (isAlive(pid)) {
    if (next !== null) process.kill(pid, next)
    next = null
    await sleep(50)
    if (Date.now() > killAtMs) next = 'SIGKILL'
  }
  writeState(folder, { port: state.port, pid: null })
}
