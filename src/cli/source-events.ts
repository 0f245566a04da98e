import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import type { FileLoaderPlan, SimulatedRequest } from '../pipeline/plan.ts'
import type { ComputeEngine, EngineConnection } from '../sql/duckdb/engine.ts'
import { queryCell } from '../sql/duckdb/query.ts'
import { quoteIdentifier, quoteText } from '../sql/duckdb/quote-identifier.ts'
import type { EventTask, FilesOf } from './source-files.ts'

/** Enough for full batches at the gateway, far below its limits. */
const EVENTS_PER_REQUEST = 5_000
const BYTES_PER_REQUEST = 4 * 1024 * 1024

/** The events of one task of `mekong load`, in requests for the front door. */
export async function* requestsOf(
  engine: ComputeEngine,
  task: EventTask,
): AsyncGenerator<SimulatedRequest> {
  let gathered: (object | string)[] = []
  let bytes = 0
  for await (const event of eventsOf(engine, task)) {
    const text = typeof event === 'string' ? event : JSON.stringify(event)
    gathered.push(text)
    bytes += text.length
    if (gathered.length < EVENTS_PER_REQUEST && bytes < BYTES_PER_REQUEST) continue
    yield { path: task.loader.path, events: gathered }
    gathered = []
    bytes = 0
  }
  if (gathered.length > 0) yield { path: task.loader.path, events: gathered }
}

function eventsOf(engine: ComputeEngine, task: EventTask): AsyncGenerator<object | string> {
  if (task.kind === 'folder') return folderEvents(engine, task)
  const { loader, file } = task
  return loader.format === 'csv' ? csvEvents(engine, loader, file) : jsonEvents(loader, file)
}

const csvSource = (files: readonly string[]) =>
  `read_csv([${files.map(quoteText).join(', ')}], header = true, all_varchar = true, sample_size = -1, union_by_name = true)`

/** Columns as text; the file may be compressed. */
async function* csvEvents(
  engine: ComputeEngine,
  loader: FileLoaderPlan,
  file: string,
): AsyncGenerator<object> {
  const connection = await engine.connection()
  try {
    const source = csvSource([file])
    const names = (await connection.run(`SELECT * FROM ${source} LIMIT 0`)).columnNames()
    // In the order of the file, so that a file played twice is played alike.
    await connection.run('SET preserve_insertion_order = true')
    for await (const chunk of connection.stream(`SELECT * FROM ${source}`)) {
      for (const row of chunk.getRows()) {
        const event = loader.event!(
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

/** What the loader's SQL makes of its files: each row is an event as JSON. */
async function* folderEvents(
  engine: ComputeEngine,
  { loader, files }: EventTask & { readonly kind: 'folder' },
): AsyncGenerator<string> {
  await using relations = await openRelations(engine, files)
  for await (const chunk of relations.connection.stream(await readFile(loader.events, 'utf8'))) {
    for (const event of chunk.getColumnValues(0)) yield event as string
  }
}

/** Rows for references, in chunks of columns by name; the files hold them as the loader's SQL says. */
export async function* referenceRows(
  engine: ComputeEngine,
  files: FilesOf,
  sql: URL,
): AsyncGenerator<readonly Readonly<Record<string, unknown>>[]> {
  await using relations = await openRelations(engine, files)
  const { names, chunks } = await relations.connection.open(await readFile(sql, 'utf8'))
  for await (const chunk of chunks) {
    yield chunk
      .getRows()
      .map((row) => Object.fromEntries(names.map((name, index) => [name, queryCell(row[index]!)])))
  }
}

/** The files of a folder as relations of a connection of their own. */
async function openRelations(
  engine: ComputeEngine,
  files: FilesOf,
): Promise<AsyncDisposable & { readonly connection: EngineConnection }> {
  const connection = await engine.connection()
  for (const [relation, paths] of Object.entries(files))
    await connection.run(
      `CREATE TEMP VIEW ${quoteIdentifier(relation)} AS SELECT * FROM ${csvSource(paths)}`,
    )
  return { connection, [Symbol.asyncDispose]: async () => connection.close() }
}

/** One JSON value a line. A line that is none goes to the front door as it is, which keeps it as a dead letter. */
async function* jsonEvents(loader: FileLoaderPlan, file: string): AsyncGenerator<object | string> {
  const bytes = createReadStream(file)
  const plain = file.endsWith('.gz')
    ? bytes.pipe(createGunzip())
    : file.endsWith('.zst')
      ? bytes.pipe(createZstdDecompress())
      : bytes
  for await (const line of createInterface({ input: plain, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue
    if (loader.event === undefined) {
      yield line
      continue
    }
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
