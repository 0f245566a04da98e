import { type ChildProcess, spawn } from 'node:child_process'
import os from 'node:os'
import path from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { ensureToolset, type SkipReason } from '../services.ts'

/** An engine of others that reads and writes the tables we read and write, in a process of its own. */
export interface Judge {
  /** Run one of the commands of its program. Requests are answered in order. @throws JudgeError */
  ask(command: string, args: Readonly<Record<string, unknown>>): Promise<unknown>
  close(): Promise<void>
}

/** What the engine refused or failed to do, in its own words. */
export class JudgeError extends Error {
  readonly type: string
  constructor(command: string, { type, message }: { type: string; message: string }) {
    super(`${command}: ${type}: ${message}`)
    this.type = type
  }
}

const JUDGES = {
  'delta-rs': { toolset: 'python', python: 'MEKONG_PYTHON', module: 'delta_rs' },
  pyiceberg: { toolset: 'python', python: 'MEKONG_PYTHON', module: 'py_iceberg' },
  spark: { toolset: 'spark', python: 'MEKONG_SPARK_PYTHON', module: 'spark' },
} as const

/** Start an engine, or say why it cannot be had. Its start takes seconds, so one is started for many tests. */
export async function openJudge(
  name: keyof typeof JUDGES | 'clickhouse',
): Promise<Judge | SkipReason> {
  if (name === 'clickhouse') return openClickHouse()
  const { toolset, python, module } = JUDGES[name]
  const tools = await ensureToolset(toolset)
  if ('skip' in tools) return tools
  const child = spawn(
    tools.environment[python]!,
    [path.join(import.meta.dirname, 'judge.py'), module],
    {
      env: { ...process.env, ...tools.environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  )
  return new JudgeProcess(child)
}

/** chDB is an optional package. Workshops are below the folder for temporary files, where it may read and write. */
async function openClickHouse(): Promise<Judge | SkipReason> {
  const program = path.join(import.meta.dirname, 'clickhouse-judge.ts')
  const judge = new JudgeProcess(spawn(process.execPath, [program], { cwd: os.tmpdir() }))
  try {
    await judge.ask('run', { sql: ['SELECT 1'] })
    return judge
  } catch (error) {
    if (process.env.MEKONG_REQUIRE_SERVICES === '1') throw error
    const skip = 'the optional package chdb is not installed'
    console.log(`skipped: ${skip}`)
    return { skip }
  }
}

type Answer = { value: unknown } | { error: { type: string; message: string } }

class JudgeProcess implements Judge {
  readonly #child: ChildProcess
  readonly #lines: Interface
  readonly #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = []
  #said = ''

  constructor(child: ChildProcess) {
    this.#child = child
    this.#lines = createInterface({ input: child.stdout! })
    this.#lines.on('line', (line) => this.#answer(line))
    child.stderr!.setEncoding('utf8')
    child.stderr!.on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-4_000)
    })
    // What it has not answered when it is gone it never will.
    child.on('close', () => {
      for (const { reject } of this.#waiting.splice(0))
        reject(new Error(`The judge ended. It said last: ${this.#said}`))
    })
    child.stdin!.on('error', () => {})
  }

  #answer(line: string): void {
    const asked = this.#waiting.shift()
    try {
      asked?.resolve(JSON.parse(line) as Answer)
    } catch (error) {
      asked?.reject(error as Error)
    }
  }

  async ask(command: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#child.stdin!.write(`${JSON.stringify({ command, arguments: args })}\n`)
    })
    if ('error' in answer) throw new JudgeError(command, answer.error)
    return answer.value
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const closed = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.stdin!.end()
    await closed
  }
}
