import { bytesColumn, type RecordBatch } from '../../../src/model/record-batch.ts'

const utf8 = new TextEncoder()
const bytes = (cell: string | Uint8Array) => (typeof cell === 'string' ? utf8.encode(cell) : cell)

export interface BatchOptions {
  readonly topic?: string
  readonly partition?: number
  readonly offsetStart?: number
  readonly ids?: readonly string[]
  readonly keys?: readonly string[]
  readonly headers?: readonly string[]
}

export const ARRIVED_MS = 1_701_234_567_890

/** A batch with the given values, one after another, as a log would hand it over. */
export function batchOf(
  values: readonly (string | Uint8Array)[],
  options: BatchOptions = {},
): RecordBatch {
  const { topic = 'events', partition = 0, offsetStart = 0 } = options
  const empty = values.map(() => '')
  return {
    topic,
    partition,
    offsets: Float64Array.from(values, (_, index) => offsetStart + index),
    offsetEnd: offsetStart + values.length,
    arrivedMs: Float64Array.from(values, (_, index) => ARRIVED_MS + index),
    ids: bytesColumn((options.ids ?? values.map((_, index) => `id-${index}`)).map(bytes)),
    keys: bytesColumn((options.keys ?? empty).map(bytes)),
    headers: bytesColumn((options.headers ?? empty).map(bytes)),
    values: bytesColumn(values.map(bytes)),
  }
}
