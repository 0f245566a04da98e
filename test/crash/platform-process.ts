import { spawn } from 'node:child_process'
import path from 'node:path'

// The whole platform as a process of its own, to be killed, starved and stopped by a test: `mekong up --json` on free ports.

const MEKONG = path.resolve(import.meta.dirname, '..', '..', 'bin', 'mekong')
/** Most stories are about one pipeline; others would only share its memory and its cores. */
const ONE_PIPELINE = path.join(import.meta.dirname, '../cli/user-events.config.ts')

export interface PlatformOptions {
  readonly home: string
  /** The configuration file; default: user-events alone. */
  readonly config?: string
  /** Settings, as environment variables. The process sees nothing else of ours but PATH. */
  readonly variables?: Readonly<Record<string, string>>
  /** Put before the command, such as `nsenter`; must replace itself by what follows. */
  readonly prefix?: readonly string[]
}

/** What `mekong up --json` says once it listens. */
export interface ReadyFacts {
  readonly url: string
  readonly postgresUrl: string
  readonly pid: number
}

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface PlatformProcess {
  readonly pid: number
  /** Resolves when it listens; `undefined` when it ended before. */
  readonly ready: Promise<ReadyFacts | undefined>
  readonly ended: Promise<Ending>
  /** Everything it said on standard output and standard error so far. */
  readonly output: () => string
  readonly complaints: () => string
  /** Send a signal, to this very process and no other. */
  signal(name: NodeJS.Signals): void
}

export function spawnPlatform({
  home,
  config = ONE_PIPELINE,
  variables = {},
  prefix = [],
}: PlatformOptions): PlatformProcess {
  const [file, ...args] = [...prefix, MEKONG, 'up', '--home', home, '--json', '--config', config]
  const child = spawn(file!, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, MEKONG_PORT: '0', POSTGRES_PORT: '0', ...variables },
  })
  let output = ''
  let complaints = ''
  const ended = new Promise<Ending>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  const listening = new Promise<ReadyFacts>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const line = output.slice(0, output.indexOf('\n') + 1)
      if (line === '') return
      const facts = JSON.parse(line) as Partial<ReadyFacts>
      if (facts.url !== undefined) resolve(facts as ReadyFacts)
    })
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  return {
    pid: child.pid!,
    ready: Promise.race([listening, ended.then(() => undefined)]),
    ended,
    output: () => output,
    complaints: () => complaints,
    signal: (name) => void child.kill(name),
  }
}

/** The same process once it listens. @throws when it ends before that, with what it said */
export async function listening(started: PlatformProcess): Promise<PlatformProcess & ReadyFacts> {
  const facts = await started.ready
  if (facts === undefined)
    throw new Error(`The platform did not start: ${started.output()}${started.complaints()}`)
  return { ...started, ...facts }
}

/** Start it and wait until it listens. @throws when it ends before that, with what it said */
export function startPlatformProcess(
  options: PlatformOptions,
): Promise<PlatformProcess & ReadyFacts> {
  return listening(spawnPlatform(options))
}
