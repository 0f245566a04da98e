import type { TransactionUpdate } from '../lake/delta/conflict.ts'

/** What became of the lines of one day: `lines = rows + duplicates + dead`. Committed with the rows. */
export interface DayCounts {
  readonly day: string
  /** How often the day was loaded: 1 the first time, one more each time it was replaced. */
  readonly load: number
  readonly print: number
  readonly lines: number
  readonly rows: number
  readonly duplicates: number
  readonly dead: number
}

const TOTALS = ['print', 'lines', 'rows', 'duplicates', 'dead'] as const

/** Name under which a table keeps the days of some files. */
export const filesConsumer = (pipeline: string, files: string) =>
  `mekong/${pipeline}/files/${files}`

/** Every day that a table holds of `consumer`, from its `txn` actions, in the order of days. */
export function dayCountsOf(
  consumer: string,
  transactions: Iterable<readonly [appId: string, version: number]>,
): readonly DayCounts[] {
  const versions = new Map([...transactions].filter(([appId]) => appId.startsWith(`${consumer}/`)))
  return [...versions]
    .flatMap(([appId, load]): DayCounts[] => {
      const day = appId.slice(consumer.length + 1)
      if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return []
      const total = (name: (typeof TOTALS)[number]) => versions.get(`${appId}/${name}`) ?? 0
      const [print, lines, rows, duplicates, dead] = TOTALS.map(total) as [
        number,
        number,
        number,
        number,
        number,
      ]
      return [{ day, load, print, lines, rows, duplicates, dead }]
    })
    .sort((a, b) => (a.day < b.day ? -1 : 1))
}

/** A day's counts as `txn` actions, which conflict with anybody else who loaded the day meanwhile. */
export function dayTransactions(
  consumer: string,
  before: DayCounts | undefined,
  after: DayCounts,
): readonly TransactionUpdate[] {
  const appId = `${consumer}/${after.day}`
  return [
    { appId, version: after.load, expected: before?.load ?? null },
    ...TOTALS.map((name) => ({
      appId: `${appId}/${name}`,
      version: after[name],
      expected: before?.[name] ?? null,
    })),
  ]
}
