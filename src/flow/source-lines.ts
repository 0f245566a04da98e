import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'

/** A line of a file as it is written. */
export interface SourceLine {
  readonly file: string
  /** As editors number lines, from 1. */
  readonly lineNumber: number
  /** From 0 over all files, blank lines not counted. */
  readonly index: number
  /** Without the line's end. */
  readonly bytes: Buffer
}

const LINE_FEED = 10
const READ_BYTES = 1024 * 1024

/**
 * Some lines of files, by their index among all lines that are not blank. `indexes` ascend. Reads no further than the last of them; in memory is
 * one line and what the disk gives at once.
 */
export async function* sourceLines(
  paths: readonly string[],
  indexes: readonly number[],
): AsyncGenerator<SourceLine> {
  const search: Search = { indexes, next: 0, index: 0 }
  for (const file of paths) {
    let lineNumber = 0
    let rest: Buffer = Buffer.alloc(0)
    for await (const chunk of bytesOf(file)) {
      if (search.next >= indexes.length) return
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      const found = findLines(search, bytes, lineNumber)
      for (const line of found.lines) yield { file, ...line }
      lineNumber = found.lineNumber
      rest = bytes.subarray(found.end)
    }
    const last = findLines(search, Buffer.concat([rest, Buffer.of(LINE_FEED)]), lineNumber)
    if (rest.length > 0) for (const line of last.lines) yield { file, ...line }
  }
}

/** How far a search has come: which of the indexes is looked for, and what the next line's index is. */
interface Search {
  readonly indexes: readonly number[]
  next: number
  index: number
}

/** The wanted lines among those that end in `bytes`. One turn for a whole piece of the file, because most lines are only counted. */
function findLines(search: Search, bytes: Buffer, linesBefore: number) {
  const lines: Omit<SourceLine, 'file'>[] = []
  let start = 0
  let lineNumber = linesBefore
  for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
    lineNumber += 1
    if (!isBlank(bytes, start, end)) {
      if (search.index === search.indexes[search.next]) {
        const line = Buffer.from(bytes.subarray(start, end))
        lines.push({ lineNumber, index: search.index, bytes: line })
        search.next += 1
      }
      search.index += 1
    }
    start = end + 1
  }
  return { lines, lineNumber, end: start }
}

function bytesOf(file: string): AsyncIterable<Buffer> {
  const raw: Readable = createReadStream(file, { highWaterMark: READ_BYTES })
  if (!/\.(gz|zst)$/.test(file)) return raw
  const plain = file.endsWith('.gz') ? createGunzip() : createZstdDecompress()
  raw.on('error', (error) => plain.destroy(error))
  return raw.pipe(plain)
}

/** Spaces, tabs and carriage returns only. */
function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at]
    if (byte !== 32 && byte !== 9 && byte !== 13) return false
  }
  return true
}
