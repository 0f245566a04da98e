import type { Clock } from '../model/clock.ts'
import type { ConsumedRange } from '../model/consumed.ts'
import type { DeadLetter } from '../model/dead-letter.ts'
import { type RecordBatch, recordAt } from '../model/record-batch.ts'
import type { Relation } from '../model/relation.ts'
import type { RecordSchema } from '../model/schema.ts'
import type { Step } from '../model/step.ts'
import { batchDecoder } from '../sql/duckdb/decode.ts'
import type { ComputeEngine, EngineConnection } from '../sql/duckdb/engine.ts'
import { quoteText } from '../sql/duckdb/quote-identifier.ts'
import { type FilteredCount, transform } from '../sql/duckdb/transform.ts'
import type { StagedBatch, StagePort } from '../stream/ports.ts'
import { AMENDS_HEADER, withFirstIds } from './amended-records.ts'
import type { ReferenceGate } from './reference-gate.ts'

export interface StageBatchesOptions {
  readonly pipeline: string
  readonly hop: string
  readonly schema: RecordSchema
  readonly steps: readonly Step[]
  readonly engine: ComputeEngine
  readonly clock: Clock
  /** Refuse what only DuckDB takes for JSON; for topics that others write to, whose values no gateway has parsed. Default false. */
  readonly strictJson?: boolean
  /** What the steps join with. */
  readonly references?: JoinedReferences
}

/** The references of a pipeline, as its joins need them. */
export interface JoinedReferences {
  /** Relations of the engine by reference. */
  readonly relations: ReadonlyMap<string, string>
  readonly gate: ReferenceGate
}

interface DeadRecord {
  readonly batch: RecordBatch
  readonly index: number
  readonly reason: string
  readonly message: string
}

/**
 * The compute engine as a hop's stage: bytes become typed rows, then the stream's steps are applied. What cannot be decoded and what a
 * step fails on are dead letters, what a filter drops is counted; of every record exactly one is true.
 */
export function stageBatches(options: StageBatchesOptions): StagePort {
  const { pipeline, hop, schema, steps, engine, clock, strictJson = false, references } = options
  const joins = steps.some(({ kind }) => kind === 'join')
  const decoder = batchDecoder({ schema, strictJson })

  const stage = async (
    connection: EngineConnection,
    batches: readonly RecordBatch[],
    signal: AbortSignal,
    leave: () => void,
  ): Promise<StagedBatch> => {
    const decoded = await decoder.decode(connection, batches, signal)
    try {
      const processingTime = BigInt(clock.nowMs()) * 1_000n
      const transformed = await transform(connection, {
        relation: decoded.relation,
        steps,
        processingTime,
        references: references?.relations,
        signal,
      })
      const { relation, failed, filtered, readsInput } = transformed
      if (!readsInput) await decoded.release()
      const dead: DeadRecord[] = [
        ...decoded.undecodable.map(({ batchIndex, recordIndex, reason, message }) => ({
          batch: batches[batchIndex]!,
          index: recordIndex,
          reason,
          message,
        })),
        ...failed.map(({ topic, partition, offset, reason, message }) => ({
          ...placeOf(batches, topic, partition, offset),
          reason,
          message,
        })),
      ]
      const amended = joins ? await countAmended(connection, relation) : []
      return {
        relation,
        dead: dead.map((record) => deadLetter(pipeline, hop, record)),
        ranges: batches.map((batch) => {
          const { topic, partition } = batch
          const dropped = filtered.find((f) => f.topic === topic && f.partition === partition)
          const deadHere = dead.filter((record) => record.batch === batch).length
          const again = amended.find((f) => f.topic === topic && f.partition === partition)
          return consumedRange(batch, deadHere, (dropped?.count ?? 0) + (again?.count ?? 0))
        }),
        release: once(async () => {
          await transformed.release()
          await decoded.release()
          connection.close()
          leave()
        }),
      }
    } catch (error) {
      await decoded.release()
      throw error
    }
  }

  return {
    async stage(batches, signal) {
      const leave =
        joins && references !== undefined ? await references.gate.enter(signal) : () => {}
      const connection = await engine.connection()
      try {
        const own = joins ? batches.map(withFirstIds) : batches
        // It stays open until the batch is released, which needs it.
        return await stage(connection, own, signal, leave)
      } catch (error) {
        connection.close()
        leave()
        throw error
      }
    },
  }
}

/**
 * Rows that were there already and are written again. In the ledger they are filtered: they are records of the log, and no further rows.
 */
async function countAmended(
  connection: EngineConnection,
  { name }: Relation,
): Promise<readonly FilteredCount[]> {
  const rows = await connection.rows(
    `SELECT _topic, _partition, count(*) FROM ${name} WHERE contains(_headers, ${quoteText(AMENDS_HEADER)}) GROUP BY ALL`,
  )
  return rows.map(([topic, partition, count]) => ({
    topic: topic as string,
    partition: partition as number,
    count: Number(count),
  }))
}

/** The same work however often it is asked for. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}

function consumedRange(batch: RecordBatch, dead: number, filtered: number): ConsumedRange {
  const read = batch.offsets.length
  return {
    topic: batch.topic,
    partition: batch.partition,
    offsetStart: batch.offsets[0]!,
    offsetEnd: batch.offsetEnd,
    read,
    rows: read - dead - filtered,
    dead,
    filtered,
  }
}

function placeOf(
  batches: readonly RecordBatch[],
  topic: string,
  partition: number,
  offset: number,
) {
  const batch = batches.find((b) => b.topic === topic && b.partition === partition)!
  return { batch, index: batch.offsets.indexOf(offset) }
}

function deadLetter(
  pipeline: string,
  hop: string,
  { batch, index, reason, message }: DeadRecord,
): DeadLetter {
  const { topic, partition, offset, id, key, value, headers, arrivedMs } = recordAt(batch, index)
  return {
    pipeline,
    hop,
    topic,
    partition,
    offset,
    recordId: id,
    key,
    reason,
    message,
    value,
    headers,
    arrivedMs,
  }
}
