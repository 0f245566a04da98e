import { createWriteStream } from 'node:fs'
import { mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { gzipSync } from 'node:zlib'
import type { SimulatedFile } from '../pipeline/plan.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { quoteText } from '../sql/duckdb/quote-identifier.ts'

/** Files made twice are the same files, also by their time. */
const WRITTEN_AT = new Date(Date.UTC(2022, 0, 1))

/** Write the files of a simulated source below a folder. Returns their paths. */
export async function writeSimulatedFiles(
  engine: ComputeEngine,
  folder: string,
  files: Iterable<SimulatedFile>,
): Promise<readonly string[]> {
  const written: string[] = []
  for (const { path: relative, rows } of files) {
    const file = path.join(folder, ...relative.split('/'))
    await mkdir(path.dirname(file), { recursive: true })
    const plain = `${file}.lines`
    await pipeline(Readable.from(linesOf(rows)), createWriteStream(plain))
    if (file.endsWith('.parquet')) await copyToParquet(engine, plain, file)
    else {
      const bytes = await readFile(plain)
      await writeFile(file, file.endsWith('.gz') ? gzipSync(bytes) : bytes)
    }
    await rm(plain)
    await utimes(file, WRITTEN_AT, WRITTEN_AT)
    written.push(file)
  }
  return written
}

const LINES_AT_ONCE = 1_000

function* linesOf(rows: Iterable<object | string>): Generator<string> {
  let lines: string[] = []
  for (const row of rows) {
    lines.push(typeof row === 'string' ? row : JSON.stringify(row))
    if (lines.length < LINES_AT_ONCE) continue
    yield `${lines.join('\n')}\n`
    lines = []
  }
  if (lines.length > 0) yield `${lines.join('\n')}\n`
}

/** Texts stay texts, whatever they look like. */
async function copyToParquet(engine: ComputeEngine, lines: string, file: string): Promise<void> {
  const connection = await engine.connection()
  try {
    await connection.run(
      `COPY (SELECT * FROM read_json(${quoteText(lines)}, format='newline_delimited', sample_size=-1, ` +
        `convert_strings_to_integers=false, dateformat='%j never', timestampformat='%j never')) TO ${quoteText(file)} (FORMAT parquet)`,
    )
  } finally {
    connection.close()
  }
}
