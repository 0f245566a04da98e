import type { Cursor } from './consumed.ts'

/**
 * What became of every record at one hop, since the beginning:
 * `in = out + filtered + duplicates + dead + inFlight`. Whatever that leaves over is `missing`, and a ledger
 * with something missing does not balance.
 */
export interface LedgerLine {
  readonly pipeline: string
  /** `gateway`, `log`, or the table or store that the hop fills. */
  readonly hop: string
  readonly in: number
  readonly out: number
  readonly filtered: number
  readonly duplicates: number
  readonly dead: number
  readonly inFlight: number
  readonly missing: number
  /** What an independent count disagrees about, if it does: rows really there, dead letters really kept. */
  readonly disagreement?: string
  readonly balanced: boolean
}

export interface LedgerCounts {
  readonly in: number
  readonly out: number
  readonly filtered?: number
  readonly duplicates?: number
  readonly dead?: number
  readonly inFlight?: number
  readonly disagreement?: string
}

/** A line from its counts. Pure. */
export function ledgerLine(pipeline: string, hop: string, counts: LedgerCounts): LedgerLine {
  const { filtered = 0, duplicates = 0, dead = 0, inFlight = 0, disagreement } = counts
  const missing = counts.in - counts.out - filtered - duplicates - dead - inFlight
  return {
    pipeline,
    hop,
    in: counts.in,
    out: counts.out,
    filtered,
    duplicates,
    dead,
    inFlight,
    missing,
    ...(disagreement === undefined ? {} : { disagreement }),
    balanced: missing === 0 && disagreement === undefined,
  }
}

/** How far a topic is written: the next offset of each partition. */
export interface TopicEnd {
  readonly topic: string
  readonly partition: number
  readonly offsetEnd: number
}

/**
 * The line of a hop that reads the log: offsets are contiguous, so everything before the cursor must be a row, dead
 * or filtered, and everything after it is in flight. `rowsFound` and `deadFound` are counted where they lie.
 */
export function hopLine(
  pipeline: string,
  hop: string,
  { cursor, ends, rowsFound, deadFound }: HopFacts,
): LedgerLine {
  const total = (pick: (line: Cursor[number]) => number) =>
    cursor.reduce((sum, line) => sum + pick(line), 0)
  const appended = ends.reduce((sum, { offsetEnd }) => sum + offsetEnd, 0)
  const consumed = total((line) => line.offset)
  const rows = total((line) => line.rows)
  const dead = total((line) => line.dead)
  const disagreements = [
    rowsFound === undefined || rowsFound === rows
      ? []
      : `${rows} rows were committed and ${rowsFound} are there`,
    deadFound === undefined || deadFound === dead
      ? []
      : `${dead} records were counted dead and ${deadFound} dead letters are kept`,
  ].flat()
  return ledgerLine(pipeline, hop, {
    in: appended,
    out: rows,
    filtered: total((line) => line.filtered),
    dead,
    inFlight: appended - consumed,
    ...(disagreements.length === 0 ? {} : { disagreement: disagreements.join('; ') }),
  })
}

export interface HopFacts {
  readonly cursor: Cursor
  readonly ends: readonly TopicEnd[]
  /** Rows in the target by its own count; absent where the target may lawfully hold another number. */
  readonly rowsFound?: number
  readonly deadFound?: number
}
