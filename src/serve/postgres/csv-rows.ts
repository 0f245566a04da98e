import { assert } from '../../model/errors.ts'

const QUOTE = 34
const NEWLINE = 10

/**
 * Cut RFC 4180 text into its rows, each with its line break, in groups of up to `rowCountMax`. The pieces may be cut anywhere; a line break inside
 * quotes belongs to its row.
 */
export async function* csvRowGroups(
  pieces: AsyncIterable<Uint8Array>,
  rowCountMax: number,
): AsyncGenerator<readonly Uint8Array[]> {
  let group: Uint8Array[] = []
  /** What earlier pieces held of the row that is being read. */
  let begun: Uint8Array[] = []
  // A doubled quote inside quotes toggles twice, which changes nothing.
  let quoted = false
  for await (const piece of pieces) {
    let start = 0
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at]
      if (byte === QUOTE) quoted = !quoted
      if (byte !== NEWLINE || quoted) continue
      const row = piece.subarray(start, at + 1)
      group.push(begun.length === 0 ? row : Buffer.concat([...begun, row]))
      begun = []
      start = at + 1
      if (group.length < rowCountMax) continue
      yield group
      group = []
    }
    if (start < piece.length) begun.push(piece.subarray(start))
  }
  assert(begun.length === 0, 'the CSV of a batch ends with a line break')
  if (group.length > 0) yield group
}

/** Which row of a group holds its `line`-th line, from 1; `undefined` when there is none. */
export function rowOfLine(rows: readonly Uint8Array[], line: number): number | undefined {
  let linesLeft = line
  for (const [index, row] of rows.entries()) {
    for (const byte of row) if (byte === NEWLINE) linesLeft -= 1
    if (linesLeft <= 0) return index
  }
  return undefined
}
