import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

const ROOT = path.dirname(import.meta.dirname)
const DOOR_ONLY = path.join(import.meta.dirname, 'door-only', 'mekong.config.ts')
const USER_EVENTS = path.join(import.meta.dirname, 'user-events-only', 'mekong.config.ts')
const DRAIN_LOOK_MS = 500

export interface MekongProcessOptions {
  readonly home: string
  /** Settings as environment variables. Whatever this process has of them is not handed on. */
  readonly variables?: Readonly<Record<string, string>>
  /** Run only the door of user-events and its topic, without hops. Default: all of user-events. */
  readonly doorOnly?: boolean
}

/** A platform of its own process, started as anybody starts it: `mekong up`. */
export interface MekongProcess {
  readonly pid: number
  readonly port: number
  readonly url: string
  readonly postgresUrl: string | undefined
  /** Returns when no hop is behind, or throws after `timeoutMs`. */
  drained(timeoutMs?: number): Promise<void>
  /** Memory that the process holds now, in MB; file pages mapped in are not counted. */
  memoryMb(): number
  stop(): Promise<void>
}

/** Start it; returns when it listens. */
export async function startMekong(options: MekongProcessOptions): Promise<MekongProcess> {
  const { home, variables = {}, doorOnly = false } = options
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(MEKONG|POSTGRES|KAFKA)_/.test(name),
  )
  const child = spawn(
    path.join(ROOT, 'bin', 'mekong'),
    ['up', '--json', '--home', home, '--config', doorOnly ? DOOR_ONLY : USER_EVENTS],
    {
      cwd: ROOT,
      env: { ...Object.fromEntries(inherited), MEKONG_PORT: '0', ...variables },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const ended = once(child, 'exit')
  const started = await Promise.race([
    once(createInterface(child.stdout!), 'line') as Promise<[string]>,
    ended.then(([code]) => {
      throw new Error(`mekong up ended with ${code} before it listened.`)
    }),
  ])
  const { url, postgresUrl } = JSON.parse(started[0]) as { url: string; postgresUrl?: string }
  const pid = child.pid!
  return {
    pid,
    url,
    port: Number(new URL(url).port),
    postgresUrl,
    drained: (timeoutMs = 60_000) => untilDrained(url, timeoutMs),
    memoryMb: () => memoryMbOf(pid),
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** The gauge is renewed once a second, so two looks in a row must find nothing. */
async function untilDrained(url: string, timeoutMs: number): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs
  let emptyCount = 0
  while (emptyCount < 3) {
    if (Date.now() > deadlineMs) throw new Error(`Hops are still behind after ${timeoutMs} ms.`)
    await sleep(DRAIN_LOOK_MS)
    const metrics = await (await fetch(`${url}/metrics`)).text()
    const lags = [...metrics.matchAll(/^mekong_hop_lag_records\{[^}]*\} (\d+)/gm)]
    emptyCount = lags.every(([, lag]) => lag === '0') ? emptyCount + 1 : 0
  }
}

function memoryMbOf(pid: number): number {
  const file = `/proc/${pid}/status`
  if (!existsSync(file)) return Number.NaN
  const anonymous = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(file, 'utf8'))
  return Math.round(Number(anonymous![1]) / 1024)
}
