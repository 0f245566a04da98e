import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { dayOf } from '../flow/day-unit.ts'
import type { LoaderPlan, PipelinePlan, SimulatedRequest } from '../pipeline/plan.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { quoteText } from '../sql/duckdb/quote-identifier.ts'
import { UsageError } from './command.ts'

/** Enough for full batches at the gateway, far below its limits. */
const EVENTS_PER_REQUEST = 5_000
const BYTES_PER_REQUEST = 4 * 1024 * 1024

/** A file with the loader whose events it becomes; without one its rows go straight into a table. */
export interface SourceFile {
  readonly path: string
  readonly loader: LoaderPlan | undefined
}

/**
 * The files that a person names, and for a folder every file in it that the pipeline reads. Said before anything is sent.
 * @throws UsageError naming what the pipeline reads
 */
export async function sourceFiles(
  { loaders, files: dayFiles }: PipelinePlan,
  paths: readonly string[],
): Promise<readonly SourceFile[]> {
  const sourceOf = (file: string): SourceFile | undefined => {
    const loader = loaders.find(({ matches }) => matches.test(path.basename(file)))
    return loader !== undefined || dayOf(dayFiles, file) !== undefined
      ? { path: file, loader }
      : undefined
  }
  const found: SourceFile[] = []
  for (const named of paths) {
    const facts = await stat(named).catch(() => undefined)
    if (facts === undefined) throw new UsageError(`There is no file ${named}`)
    const inside = facts.isDirectory() ? await filesIn(named) : [named]
    const sources = inside.map(sourceOf).filter((source) => source !== undefined)
    if (sources.length === 0) {
      const known = [...loaders, ...dayFiles].map(({ description }) => `  ${description}`)
      throw new UsageError(
        `This pipeline does not know how to read ${named}. It reads:\n${known.join('\n')}`,
      )
    }
    found.push(...sources)
  }
  return found
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
}

/** The events of a file, in requests for the front door. */
export async function* requestsOf(
  engine: ComputeEngine,
  loader: LoaderPlan,
  file: string,
): AsyncGenerator<SimulatedRequest> {
  const events =
    loader.format === 'csv' ? csvEvents(engine, loader, file) : jsonEvents(loader, file)
  let gathered: (object | string)[] = []
  let bytes = 0
  for await (const event of events) {
    const text = typeof event === 'string' ? event : JSON.stringify(event)
    gathered.push(text)
    bytes += text.length
    if (gathered.length < EVENTS_PER_REQUEST && bytes < BYTES_PER_REQUEST) continue
    yield { path: loader.path, events: gathered }
    gathered = []
    bytes = 0
  }
  if (gathered.length > 0) yield { path: loader.path, events: gathered }
}

/** Columns as text; the file may be compressed. */
async function* csvEvents(
  engine: ComputeEngine,
  loader: LoaderPlan,
  file: string,
): AsyncGenerator<object> {
  const connection = await engine.connection()
  try {
    const source = `read_csv(${quoteText(file)}, header = true, all_varchar = true, sample_size = -1)`
    const names = (await connection.run(`SELECT * FROM ${source} LIMIT 0`)).columnNames()
    // In the order of the file, so that a file played twice is played alike.
    await connection.run('SET preserve_insertion_order = true')
    for await (const chunk of connection.stream(`SELECT * FROM ${source}`)) {
      for (const row of chunk.getRows()) {
        const event = loader.event(
          Object.fromEntries(names.map((name, index) => [name, row[index]])),
        )
        if (event !== null) yield event
      }
    }
  } finally {
    await connection.run('SET preserve_insertion_order = false')
    connection.close()
  }
}

/** One JSON value a line. A line that is none goes to the front door as it is, which keeps it as a dead letter. */
async function* jsonEvents(loader: LoaderPlan, file: string): AsyncGenerator<object | string> {
  const bytes = createReadStream(file)
  const plain = file.endsWith('.gz')
    ? bytes.pipe(createGunzip())
    : file.endsWith('.zst')
      ? bytes.pipe(createZstdDecompress())
      : bytes
  for await (const line of createInterface({ input: plain, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue
    let row: Record<string, unknown>
    try {
      row = JSON.parse(line)
    } catch {
      yield line
      continue
    }
    const event = loader.event(row)
    if (event !== null) yield event
  }
}
