import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  statSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'

// Collected records as JSON lines, a file for each type and run. A file's whole length is remembered with what was confirmed, so
// that a kill leaves no half lines and no line twice.

/** A file that is not there yet: `DIR/movie-20261120T081500123Z.jsonl` */
export function jsonLinesPath(folder: string, type: string, atMs: number): string {
  const stamp = new Date(atMs).toISOString().replaceAll(/[-:.]/g, '')
  const file = path.join(folder, `${type}-${stamp}.jsonl`)
  return existsSync(file) ? jsonLinesPath(folder, type, atMs + 1) : file
}

/** The type of a file that `jsonLinesPath` named. */
export const typeOfFile = (file: string): string => path.basename(file).replace(/-[^-]*$/, '')

/** Append lines after the first `bytes` bytes of a file; what is behind them is an unfinished write and goes. Durable when it returns the new length. */
export function appendLines(file: string, bytes: number, lines: readonly string[]): number {
  const handle = openSync(file, existsSync(file) ? 'r+' : 'w')
  try {
    const start = Math.min(bytes, statSync(file).size)
    ftruncateSync(handle, start)
    const text = Buffer.from(lines.map((line) => `${line}\n`).join(''))
    let written = 0
    while (written < text.length)
      written += writeSync(handle, text, written, text.length - written, start + written)
    fsyncSync(handle)
    return start + text.length
  } finally {
    closeSync(handle)
  }
}
