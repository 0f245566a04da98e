import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { vi } from 'vitest'

/** A busy machine starts a process of ours in some seconds, and a test starts several. */
vi.setConfig({ testTimeout: 90_000 })

const ROOT = path.resolve(import.meta.dirname, '../..')

/** A config whose platform starts in a moment. */
export const SMALL_RIVER = path.join(import.meta.dirname, 'small-river', 'mekong.config.ts')

export const newHome = () => mkdtempSync(path.join(tmpdir(), 'mekong-cli-'))

/** The tests' own environment without what would steer the program. */
function cleanVariables(): Record<string, string | undefined> {
  const steering = /^(MEKONG_|KAFKA_|POSTGRES_|AWS_)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !steering.test(name)))
}

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
  /** The last line of the output as JSON. */
  json<T = Record<string, unknown>>(): T
}

/** Start the real command line. */
export function startMekong(
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): ChildProcess {
  return spawn(path.join(ROOT, 'bin', 'mekong'), args, {
    env: { ...cleanVariables(), ...variables } as NodeJS.ProcessEnv,
    cwd: tmpdir(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Run the real command line to its end. */
export async function mekong(
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const child = startMekong(args, variables)
  let out = ''
  let err = ''
  child.stdout!.on('data', (chunk) => {
    out += chunk
  })
  child.stderr!.on('data', (chunk) => {
    err += chunk
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return {
    ...{ code, out, err },
    json() {
      const line = out.trim().split('\n').at(-1) ?? ''
      try {
        return JSON.parse(line)
      } catch {
        throw new Error(`mekong ${args.join(' ')} printed no JSON:\n${out}\n${err}`)
      }
    },
  }
}

/** A running `mekong up`, once it listens. */
export interface RunningUp {
  readonly url: string
  readonly notes: () => string
  /** SIGTERM, and wait. Returns the exit code. */
  stop(): Promise<number | null>
}

export async function mekongUp(
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<RunningUp> {
  const child = startMekong(['up', '--json', ...args], variables)
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  let notes = ''
  child.stderr!.on('data', (chunk) => {
    notes += chunk
  })
  const listening = new Promise<string>((resolve) =>
    child.stdout!.once('data', (chunk) => resolve(String(chunk))),
  )
  const first = await Promise.race([listening, closed])
  if (typeof first !== 'string') throw new Error(`mekong up ended with ${first}:\n${notes}`)
  return {
    url: JSON.parse(first).url,
    notes: () => notes,
    async stop() {
      child.kill('SIGTERM')
      return closed
    },
  }
}

/** Ask again until the answer is right, for at most twenty seconds. */
export async function eventually<T>(
  ask: () => Promise<T>,
  isRight: (answer: T) => boolean,
): Promise<T> {
  const untilMs = Date.now() + 20_000
  while (true) {
    const answer = await ask()
    if (isRight(answer) || Date.now() > untilMs) return answer
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
