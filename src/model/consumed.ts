/**
 * A stretch of one partition that a hop has dealt with, and what became of every record in it:
 * `read = rows + dead + filtered`. This is the ledger's smallest line; it is committed with the data.
 */
export interface ConsumedRange {
  readonly topic: string
  readonly partition: number
  /** Inclusive. */
  readonly offsetStart: number
  /** Exclusive. */
  readonly offsetEnd: number
  readonly read: number
  readonly rows: number
  readonly dead: number
  readonly filtered: number
}

/** How far a hop has come in one partition, with its totals since the beginning. */
export interface PartitionCursor {
  readonly topic: string
  readonly partition: number
  /** The next offset to read. */
  readonly offset: number
  readonly rows: number
  readonly dead: number
  readonly filtered: number
}

/** How far a hop has come: one line for each partition it has ever consumed from. Kept inside the hop's target. */
export type Cursor = readonly PartitionCursor[]

/** The cursor after `ranges` were committed on top of it. Pure. Ranges must start where the cursor stands. */
export function advance(cursor: Cursor, ranges: readonly ConsumedRange[]): Cursor {
  const next = new Map(cursor.map((line) => [`${line.topic}/${line.partition}`, line]))
  for (const range of ranges) {
    const name = `${range.topic}/${range.partition}`
    const line = next.get(name)
    next.set(name, {
      topic: range.topic,
      partition: range.partition,
      offset: range.offsetEnd,
      rows: (line?.rows ?? 0) + range.rows,
      dead: (line?.dead ?? 0) + range.dead,
      filtered: (line?.filtered ?? 0) + range.filtered,
    })
  }
  return [...next.values()]
}
