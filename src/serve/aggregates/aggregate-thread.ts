import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { AggregatesShape } from '../../model/aggregates.ts'
import { messageOf } from '../../model/errors.ts'
import { type AddOptions, addDeltas } from './add-deltas.ts'
import {
  aggregateVersion,
  newestStep,
  openAggregateFile,
  type StepRange,
  stepValues,
} from './aggregate-rows.ts'
import { type SeriesLinesRequest, seriesLines } from './series-lines.ts'

// A thread that owns a connection to the file, so that neither counting nor asking holds up the event loop.

export interface AggregateThreadOptions {
  readonly file: string
  readonly shape: AggregatesShape
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

function aggregateFunctions(database: DatabaseSync, shape: AggregatesShape) {
  return {
    version: (_: undefined) => aggregateVersion(database),
    add: (options: AddOptions) => addDeltas(database, shape, options),
    steps: (ranges: readonly StepRange[]) => ranges.map((range) => stepValues(database, range)),
    series: (request: SeriesLinesRequest) => seriesLines(database, request),
    newest: (counter: number) => newestStep(database, counter),
    close: (_: undefined) => database.close(),
  }
}

if (parentPort !== null) {
  const port = parentPort
  const { file, shape } = workerData as AggregateThreadOptions
  const database = new DatabaseSync(file, { timeout: 10_000 })
  openAggregateFile(database, shape)
  const functions = aggregateFunctions(database, shape)
  port.on('message', ({ call, name, argument }: AggregateCall) => {
    try {
      port.postMessage({ call, value: functions[name](argument as never) } satisfies AggregateReply)
    } catch (error) {
      port.postMessage({ call, failure: messageOf(error) } satisfies AggregateReply)
    }
  })
}
