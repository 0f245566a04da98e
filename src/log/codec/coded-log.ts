import { Worker } from 'node:worker_threads'
import type { AppendOutcome, NewRecord } from '../../model/append.ts'
import {
  type BytesColumn,
  bytesAt,
  bytesColumn,
  type RecordBatch,
} from '../../model/record-batch.ts'
import { LogUnavailableError, TopicMismatchError } from '../errors.ts'
import type { Log, LogReader } from '../log.ts'
import type { LogWatch } from '../log-watch.ts'
import { ThreadCaller } from '../thread-call.ts'
import type { CodecFunctions } from './codec-thread.ts'
import { countCoded, ValueCodec } from './value-codec.ts'

// A log whose topics may hold Avro. In: records with JSON values, as the gateway has accepted them; out: the same, whatever lies on the topic.
// A topic whose configuration brings a schema has its values coded one by one (`value-codec.ts`), and the schema is registered in the topic
// `mekong.schemas` of the same log before the first value of it is written. So whoever can read the log, now or after the schema
// has changed, can read its values. Survives a crash: nothing here; the schemas are records like any other.

/** The schemas of all topics: id and key are a fingerprint in hex and the topic it was first used for, the value is the schema. */
export const SCHEMAS_TOPIC = 'mekong.schemas'

/** Columns up to this size are coded where they are: handing them to the thread would take longer, and the loop is held for less than a millisecond. */
const INLINE_BYTES_MAX = 64 * 1024
const READ_SCHEMAS = { partition: 0, recordCountMax: 10_000, bytesMax: 16 * 1024 * 1024 }

/** The log with its topics' values coded. Closes it when it is closed. */
export function codedLog<L extends Log>(log: L, { onCoded }: Pick<LogWatch, 'onCoded'> = {}): L {
  const codec = new ThreadedCodec(log)
  /** Fingerprint of the schema that a topic is written with. */
  const coded = new Map<string, string>()
  async function appendCoded(
    topic: string,
    fingerprint: string,
    records: readonly NewRecord[],
    signal: AbortSignal | undefined,
  ): Promise<AppendOutcome> {
    const startMs = performance.now()
    const column = bytesColumn(records.map(({ value }) => value))
    const values = await codec.encode(column, fingerprint)
    const valueCount = records.length
    const misfitCount = valueCount - countCoded(values)
    onCoded?.({ valueCount, misfitCount, durationMs: performance.now() - startMs })
    const inAvro = records.map((record, at) => ({ ...record, value: bytesAt(values, at) }))
    return log.append(topic, inAvro, signal)
  }
  return {
    ...log,
    async ensureTopic({ valueSchema, ...topic }) {
      await log.ensureTopic(topic)
      if (valueSchema === undefined) return
      const fingerprint = await codec.learn(valueSchema)
      await register(log, topic.name, valueSchema, fingerprint)
      coded.set(topic.name, fingerprint)
    },
    // Not an async function: where nothing is coded that would be one more promise for every event.
    append(topic, records, signal) {
      const fingerprint = coded.get(topic)
      if (fingerprint === undefined || records.length === 0)
        return log.append(topic, records, signal)
      return appendCoded(topic, fingerprint, records, signal)
    },
    read: async (request, signal) => decoded(codec, await log.read(request, signal)),
    async close() {
      await log.close()
      await codec.close()
    },
  }
}

/** The half of a log that looks, with its values decoded. */
export function codedLogReader(log: LogReader): LogReader {
  const codec = new ThreadedCodec(log)
  return {
    ...log,
    read: async (request, signal) => decoded(codec, await log.read(request, signal)),
    async close() {
      await log.close()
      await codec.close()
    },
  }
}

async function register(
  log: Log,
  topic: string,
  schema: string,
  fingerprint: string,
): Promise<void> {
  await log.ensureTopic({ name: SCHEMAS_TOPIC, partitions: 1 })
  const record: NewRecord = {
    ...{ id: fingerprint, idMayRepeat: true, key: topic },
    value: new TextEncoder().encode(schema),
  }
  const outcome = await log.append(SCHEMAS_TOPIC, [record])
  if (outcome.status === 'appended') {
    if (outcome.records[0]!.status === 'duplicate')
      await checkAlike(log, topic, schema, fingerprint)
    return
  }
  throw new LogUnavailableError(
    `The schema of topic "${topic}" could not be registered in "${SCHEMAS_TOPIC}" (${outcome.reason}). Nothing was accepted for the topic; start again.`,
  )
}

/**
 * To Avro a text and a text that holds JSON are the same, so both schemas have one fingerprint, and values could not be told apart.
 * @throws TopicMismatchError when the schema registered under the fingerprint marks other texts
 */
async function checkAlike(
  log: Log,
  topic: string,
  schema: string,
  fingerprint: string,
): Promise<void> {
  const text = new TextDecoder()
  for await (const { ids, values, offsets } of schemaBatches(log))
    for (let at = 0; at < offsets.length; at += 1) {
      if (text.decode(bytesAt(ids, at)) !== fingerprint) continue
      if (marksOf(text.decode(bytesAt(values, at))) === marksOf(schema)) continue
      throw new TopicMismatchError(
        `Topic "${topic}" is to be coded with a schema that differs from an earlier one only in which texts hold JSON or decimals, so what was written with that could not be ` +
          'told apart. Nothing was changed; give the schema another name.',
      )
    }
}

/** A schema without what does not change how values are read. */
const marksOf = (schema: string) =>
  JSON.stringify(JSON.parse(schema, (key, value) => (key === 'doc' ? undefined : value)))

/** Everything in the topic of schemas. */
async function* schemaBatches(log: Pick<Log, 'read'>): AsyncGenerator<RecordBatch> {
  for (let offset = 0; ; ) {
    const batch = await log.read({ topic: SCHEMAS_TOPIC, offset, ...READ_SCHEMAS })
    if (batch.offsets.length === 0) return
    yield batch
    offset = batch.offsetEnd
  }
}

async function decoded(codec: ThreadedCodec, batch: RecordBatch): Promise<RecordBatch> {
  if (batch.topic === SCHEMAS_TOPIC || countCoded(batch.values) === 0) return batch
  return { ...batch, values: await codec.decode(batch.values) }
}

/** A codec that does large columns on a thread of its own, begun when the first of them comes. */
class ThreadedCodec {
  readonly #log: Pick<Log, 'read' | 'topics'>
  readonly #inline = new ValueCodec()
  readonly #learnt = new Set<string>()
  #thread: ThreadCaller<CodecFunctions> | undefined

  constructor(log: Pick<Log, 'read' | 'topics'>) {
    this.#log = log
  }

  async learn(schema: string): Promise<string> {
    this.#learnt.add(schema)
    await this.#thread?.call('learn', { schema })
    return this.#inline.learn(schema)
  }

  async encode(values: BytesColumn, fingerprint: string): Promise<BytesColumn> {
    if (values.data.length <= INLINE_BYTES_MAX) return this.#inline.encode(values, fingerprint)
    const thread = await this.#started()
    // The column was made for this; its buffers go along.
    const buffers = [values.data.buffer as ArrayBuffer, values.ends.buffer as ArrayBuffer]
    return thread.call('encode', { values, fingerprint }, buffers)
  }

  async decode(values: BytesColumn): Promise<BytesColumn> {
    if (this.#inline.unknown(values).length > 0) await this.#readSchemas()
    if (values.data.length <= INLINE_BYTES_MAX) return this.#inline.decode(values)
    // A copy of these values alone: a view would take all that lies in its buffer along.
    const own = { data: values.data.slice(), ends: values.ends.slice() }
    return (await this.#started()).call('decode', { values: own }, [
      own.data.buffer,
      own.ends.buffer,
    ])
  }

  async close(): Promise<void> {
    await this.#thread?.terminate()
  }

  /** Every schema that was ever registered in this log. */
  async #readSchemas(): Promise<void> {
    if (!(await this.#log.topics()).some(({ name }) => name === SCHEMAS_TOPIC)) return
    for await (const { offsets, values } of schemaBatches(this.#log))
      for (let index = 0; index < offsets.length; index += 1)
        await this.learn(new TextDecoder().decode(bytesAt(values, index)))
  }

  async #started(): Promise<ThreadCaller<CodecFunctions>> {
    if (this.#thread === undefined) {
      this.#thread = new ThreadCaller(new Worker(new URL('./codec-thread.ts', import.meta.url)))
      for (const schema of this.#learnt) void this.#thread.call('learn', { schema })
    }
    return this.#thread
  }
}
