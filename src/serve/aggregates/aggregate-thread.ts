import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '../../model/errors.ts'
import {
  type AddOptions,
  addDeltas,
  aggregateVersion,
  newestStep,
  openAggregateFile,
  type PeriodRange,
  periodValues,
  type SeriesRange,
  seriesValues,
} from './aggregate-rows.ts'

// A thread that owns a connection to the file, so that neither counting nor asking holds up the event loop.

export interface AggregateThreadOptions {
  readonly file: string
  readonly shape: string
}

export interface AggregateCall {
  readonly call: number
  readonly name: keyof AggregateFunctions
  readonly argument: unknown
}

export interface AggregateReply {
  readonly call: number
  readonly value?: unknown
  readonly failure?: string
}

export type AggregateFunctions = ReturnType<typeof aggregateFunctions>

function aggregateFunctions(database: DatabaseSync) {
  return {
    version: (_: undefined) => aggregateVersion(database),
    add: (options: AddOptions) => addDeltas(database, options),
    periods: (range: PeriodRange) => periodValues(database, range),
    series: (range: SeriesRange) => seriesValues(database, range),
    newest: (measure: string) => newestStep(database, measure),
    close: (_: undefined) => database.close(),
  }
}

if (parentPort !== null) {
  const port = parentPort
  const { file, shape } = workerData as AggregateThreadOptions
  const database = new DatabaseSync(file, { timeout: 10_000 })
  openAggregateFile(database, shape)
  const functions = aggregateFunctions(database)
  port.on('message', ({ call, name, argument }: AggregateCall) => {
    try {
      port.postMessage({ call, value: functions[name](argument as never) } satisfies AggregateReply)
    } catch (error) {
      port.postMessage({ call, failure: messageOf(error) } satisfies AggregateReply)
    }
  })
}
