import { spawn } from 'node:child_process'
import { linkSync, mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { openComputeEngine } from '../../src/sql/duckdb/engine.ts'
import { ensureToolset } from '../../test/services.ts'
import type { BenchContext } from '../bench.ts'
import { contentPaths, writeContentFiles } from './content-files.ts'

// Who makes profiles of the same files: we, DuckDB by hand and PySpark, each in a process of its own, one after another.

/** Memory of the engine, whoever uses it. */
export const MEMORY_MB = 2_000
/** 1.9 million contracts for 1.6 million lines a day. */
const CONTRACTS_PER_ROW = 1.9 / 1.6

export interface ProfileRun {
  readonly lines: number
  readonly total_s: number
  readonly cpu_s: number
  readonly peak_mb: number
}

export interface Place {
  /** Where everything is. */
  readonly folder: string
  /** Where the day files are. */
  readonly files: string
  readonly say: BenchContext['say']
}

/** Write the files of some days, and say how far it is. */
export async function writeDays(
  { folder, files, say }: Place,
  days: { readonly first: number; readonly count: number; readonly rowsPerDay: number },
): Promise<void> {
  const { first, count, rowsPerDay } = days
  say(`writing ${count} days of ${rowsPerDay.toLocaleString('en')} lines`)
  const engine = await openComputeEngine({ spillDirectory: path.join(folder, 'made') })
  const contracts = Math.max(1, Math.round(rowsPerDay * CONTRACTS_PER_ROW))
  const startMs = performance.now()
  try {
    for (let day = 0; day < count; day += 1) {
      await writeContentFiles(
        engine,
        { folder: files, days: 1, rowsPerDay, contracts },
        first + day,
      )
      const seconds = (performance.now() - startMs) / 1_000
      const left = (seconds * (count - day - 1)) / (day + 1)
      if (day % 5 === 4) say(`  ${day + 1} days written, ${Math.ceil(left)} s left`)
    }
  } finally {
    engine.close()
  }
}

/** Mekong, in a new home or, with `keep`, in the one that is there. */
export const ours = (place: Place, mode: 'anew' | 'keep' = 'anew'): Promise<ProfileRun> =>
  child(place, 'profile-child.ts', mode)

/** DuckDB by hand, which keeps what we keep, or nothing but the answer. */
export const bare = (place: Place, mode: 'anew' | 'answer' = 'anew'): Promise<ProfileRun> =>
  child(place, 'bare-child.ts', mode)

async function child(place: Place, program: string, mode: string): Promise<ProfileRun> {
  const { folder, files, say } = place
  const home = path.join(folder, 'home')
  if (mode !== 'keep') rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  const args = [path.join(import.meta.dirname, program), home, files, String(MEMORY_MB), mode]
  const line = await outputOf(process.execPath, args, {}, (said) => say(`  ${said}`))
  const run = JSON.parse(line) as ProfileRun
  const peak = Math.round(run.peak_mb)
  say(
    `${program} ${mode}: ${run.total_s.toFixed(2)} s, ${run.cpu_s.toFixed(2)} s of processor, ${peak} MB`,
  )
  return run
}

/** Seconds that PySpark takes, without its start; `null` where it is not to be had. */
export async function pyspark({ folder, files, say }: Place): Promise<number | null> {
  const tools = await ensureToolset('spark')
  if ('skip' in tools) return null
  const program = path.join(import.meta.dirname, 'profile_spark.py')
  const args = [program, files, path.join(folder, 'spark-profile')]
  const line = await outputOf(tools.environment.MEKONG_SPARK_PYTHON!, args, tools.environment)
  const { seconds } = JSON.parse(line) as { seconds: number }
  say(`PySpark: ${seconds.toFixed(1)} s`)
  return seconds
}

/** A folder with the first of the files, and no bytes of its own. */
export function firstDays({ folder, files }: Place, count: number): string {
  const part = path.join(folder, 'part')
  mkdirSync(part)
  for (const file of contentPaths(files).slice(0, count))
    linkSync(file, path.join(part, path.basename(file)))
  return part
}

/** The last line that a program says; `onProgress` hears a line of its errors every few seconds. */
function outputOf(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  onProgress: (line: string) => void = () => {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const program = spawn(file, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const stop = () => program.kill('SIGKILL')
    process.once('exit', stop)
    let out = ''
    let err = ''
    let saidMs = performance.now()
    program.stdout.on('data', (chunk) => {
      out += chunk
    })
    createInterface({ input: program.stderr }).on('line', (line) => {
      err = `${err}${line}\n`.slice(-2_000)
      if (performance.now() - saidMs < PROGRESS_MS) return
      saidMs = performance.now()
      onProgress(line)
    })
    program.once('error', reject)
    program.once('close', (code) => {
      process.off('exit', stop)
      const line = out.trim().split('\n').at(-1)
      if (code === 0 && line) resolve(line)
      else reject(new Error(`${path.basename(args[0]!)} ended with ${code}: ${err}`))
    })
  })
}

const PROGRESS_MS = 5_000
