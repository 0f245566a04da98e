import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
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
  const search: Search = { indexes, next: 0, index: 0, lineNumber: 0 }
  for (const file of paths) {
    search.lineNumber = 0
    // A line that began in what was read before.
    let begun: Buffer[] = []
    for await (const chunk of bytesOf(file)) {
      if (search.next >= indexes.length) return
      let start = 0
      if (begun.length > 0) {
        const end = chunk.indexOf(LINE_FEED)
        start = end < 0 ? chunk.length : end + 1
        begun.push(Buffer.from(chunk.subarray(0, start)))
        if (end < 0) continue
        for (const line of findLines(search, Buffer.concat(begun))) yield { file, ...line }
        begun = []
      }
      const wholeEnd = chunk.lastIndexOf(LINE_FEED) + 1
      const whole = chunk.subarray(start, Math.max(start, wholeEnd))
      for (const line of findLines(search, whole)) yield { file, ...line }
      const rest = chunk.subarray(start + whole.length)
      if (rest.length > 0) begun.push(Buffer.from(rest))
    }
    if (begun.length === 0) continue
    const last = Buffer.concat([...begun, Buffer.of(LINE_FEED)])
    for (const line of findLines(search, last)) yield { file, ...line }
  }
}

/** How far a search has come: which of the indexes is looked for, what the next line's index is, and how many lines of the file were before it. */
interface Search {
  readonly indexes: readonly number[]
  next: number
  index: number
  lineNumber: number
}

/** The wanted lines among those of `bytes`, which ends with a line. One turn for a whole piece of the file, because most lines are only counted. */
function findLines(search: Search, bytes: Buffer): Omit<SourceLine, 'file'>[] {
  const lines: Omit<SourceLine, 'file'>[] = []
  let start = 0
  for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
    search.lineNumber += 1
    if (!isBlank(bytes, start, end)) {
      if (search.index === search.indexes[search.next]) {
        const line = Buffer.from(bytes.subarray(start, end))
        lines.push({ lineNumber: search.lineNumber, index: search.index, bytes: line })
        search.next += 1
      }
      search.index += 1
    }
    start = end + 1
  }
  return lines
}

/** A file piece by piece, unpacked; a piece holds until the next is asked for. */
function bytesOf(file: string): AsyncIterable<Buffer> {
  if (!/\.(gz|zst)$/.test(file)) return plainBytes(file)
  const raw = createReadStream(file, { highWaterMark: READ_BYTES })
  const plain = file.endsWith('.gz') ? createGunzip() : createZstdDecompress()
  raw.on('error', (error) => plain.destroy(error))
  return raw.pipe(plain)
}

/** Into one buffer again and again: a stream would make a new one for each piece. */
async function* plainBytes(file: string): AsyncGenerator<Buffer> {
  const handle = await open(file)
  try {
    const buffer = Buffer.allocUnsafe(READ_BYTES)
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, READ_BYTES)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}

/** Spaces, tabs and carriage returns only. */
function isBlank(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at]
    if (byte !== 32 && byte !== 9 && byte !== 13) return false
  }
  return true
}
