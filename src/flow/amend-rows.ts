import type { Log } from '../log/log.ts'
import type { NewRecord } from '../model/append.ts'
import type { JoinStep } from '../model/step.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { quoteIdentifier } from '../sql/duckdb/quote-identifier.ts'
import type { ReferenceTable } from '../sql/duckdb/reference-store.ts'
import { AMENDS_HEADER } from './amended-records.ts'
import { compiledPlan } from './compiled-plans.ts'
import { AmendRefusedError } from './errors.ts'
import type { LakeHome } from './lake-home.ts'
import { openPlannedTable } from './lake-table.ts'
import type { PlannedHop } from './pipeline-hops.ts'

export interface AmendRowsOptions {
  readonly log: Log
  readonly lake: LakeHome
  readonly engine: ComputeEngine
  readonly hop: PlannedHop & { readonly kind: 'table' }
  readonly step: JoinStep
  readonly table: ReferenceTable
  /** Keys of the reference that changed after this count, microseconds. */
  readonly afterMicros: bigint
}

const RECORDS_PER_APPEND = 2_000

/**
 * The records of rows that a changed reference would join otherwise now, into the hop's replay topic once more. Their ids say which change sent
 * them, so that sending them again after a crash adds nothing. Returns how many.
 * @throws AmendRefusedError when the log does not take them just now
 */
export async function amendRows(options: AmendRowsOptions): Promise<number> {
  const { log, engine, hop, step, table } = options
  const knownMicros = await table.knownMicros()
  let records: NewRecord[] = []
  let count = 0
  const send = async () => {
    if (records.length === 0) return
    const outcome = await log.append(hop.replayTopic, records)
    if (outcome.status !== 'appended')
      throw new AmendRefusedError(
        `Rows of ${hop.name} wait for a change of ${step.reference}: the log did not take them (${outcome.reason}).`,
      )
    count += records.length
    records = []
  }
  const connection = await engine.connection()
  try {
    const sql = await affectedSql(options)
    for await (const chunk of connection.stream(sql)) {
      for (const [id, key, arrivedMs, headers, raw] of chunk.getRows()) {
        records.push({
          id: `amend/${step.reference}/${knownMicros}/${id}`.slice(0, 256),
          idMayRepeat: true,
          key: key as string | null,
          value: new TextEncoder().encode(raw as string),
          headers: {
            ...(headers === null ? {} : JSON.parse(headers as string)),
            [AMENDS_HEADER]: id as string,
          },
          arrivedMs: Number(arrivedMs),
        })
        if (records.length >= RECORDS_PER_APPEND) await send()
      }
    }
    await send()
    return count
  } finally {
    connection.close()
  }
}

/** Rows joined by a touched key, from the instant on from which its version is another. */
async function affectedSql({
  lake,
  engine,
  hop,
  step,
  table,
  afterMicros,
}: AmendRowsOptions): Promise<string> {
  const target = await openPlannedTable(lake, hop.table)
  const scan = await compiledPlan(await (await target.state()).plan(), engine)
  const at = quoteIdentifier(step.at)
  const looked =
    step.each === undefined
      ? `SELECT _id, ${at} AS moment, ${quoteIdentifier(step.on)} AS value FROM (${scan})`
      : `SELECT _id, moment, item.${quoteIdentifier(step.on)} AS value FROM (SELECT _id, ${at} AS moment, unnest(${quoteIdentifier(step.each)}) AS item FROM (${scan}))`
  return (
    `WITH touched AS (${table.touchedSql(afterMicros)}), ` +
    `affected AS (SELECT DISTINCT l._id FROM (${looked}) l JOIN touched t ON l.value = t.key WHERE l.moment >= t.since) ` +
    `SELECT s._id, s._key, epoch_ms(s._arrived_at), s._headers, s._raw FROM (${scan}) s SEMI JOIN affected a ON s._id = a._id`
  )
}
