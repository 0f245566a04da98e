import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import {
  AGGREGATE_SCALE,
  type AggregatesShape,
  ALL_TIME,
  counterName,
  counterOfPeriod,
  type Grain,
  MINUTES_OF_GRAIN,
  type Period,
  periodBeside,
  periodStart,
  STEP_OF_PERIOD,
} from '../../model/aggregates.ts'
import { assert } from '../../model/errors.ts'
import { SinkFailedError } from '../errors.ts'
import type { AddOptions } from './add-deltas.ts'
import { counterNumbers } from './aggregate-rows.ts'
import type {
  AggregateFunctions,
  AggregateReply,
  AggregateThreadOptions,
} from './aggregate-thread.ts'

/** Kept aggregates, for as long as they are open. Adding and asking each have a thread of their own. */
export interface AggregateStore {
  readonly shape: AggregatesShape
  /** Version of the table that the numbers stand for; -1 before the first. */
  version(): Promise<number>
  /** Make the numbers stand for another version. Added twice, the second changes nothing. Durable when it returns. */
  add(options: AddOptions): Promise<void>
  /** The measures of the period that holds an instant, up to that instant, beside the same stretch of the one before. */
  measures(period: Period, atMs: number): Promise<PeriodFacts>
  /** The measures of all time. */
  totals(): Promise<Readonly<Record<string, number>>>
  /** The first `top` labels by value in the range, the others together as `other`; every step is there. */
  series(request: SeriesRequest): Promise<SeriesFacts>
  /** The newest minute that has a row, milliseconds since 1970. */
  newestMs(): Promise<number | undefined>
  close(): Promise<void>
}

export interface PeriodFacts {
  readonly period: Period
  /** Milliseconds since 1970. */
  readonly startMs: number
  readonly endMs: number
  readonly measures: Readonly<Record<string, MeasureFacts>>
}

export interface MeasureFacts {
  readonly value: number
  /** Of the period before, up to the same step. */
  readonly previous: number
  /** Of all of the period before. */
  readonly previousWhole: number
  /** `value / previous - 1`; null when there was nothing before. */
  readonly change: number | null
}

export interface SeriesRequest {
  readonly series: string
  readonly grain: Grain
  readonly fromMs: number
  /** Exclusive. */
  readonly toMs: number
  readonly top: number
  /** Only this label, and no `other`. */
  readonly label?: string
}

export interface SeriesFacts {
  /** Beginnings of the steps, milliseconds since 1970. */
  readonly stepsMs: readonly number[]
  /** Most first; `other` last, when there is one. */
  readonly lines: readonly { readonly label: string; readonly values: readonly number[] }[]
}

const MINUTE_MS = 60_000

/** Open the numbers of one shape in a file, making it when it is new. Numbers of another shape in it are forgotten. */
export async function openAggregateStore(
  file: string,
  shape: AggregatesShape,
): Promise<AggregateStore> {
  mkdirSync(path.dirname(file), { recursive: true })
  const options = { file, shape }
  const writer = threadOf(options)
  // The writer makes the file; a reader beside it could find it half made.
  await writer.call('version', undefined)
  const reader = threadOf(options)
  const numbers = counterNumbers(shape)
  const measures = Object.entries(shape.measures)
  return Object.freeze({
    shape,
    version: () => reader.call('version', undefined),
    add: (addition: AddOptions) => writer.call('add', addition),
    async measures(period: Period, atMs: number) {
      const minute = Math.floor(atMs / MINUTE_MS)
      const start = periodStart(period, minute)
      const end = periodBeside(period, start, 1)
      const before = periodBeside(period, start, -1)
      const width = MINUTES_OF_GRAIN[STEP_OF_PERIOD[period]]
      const passed = Math.floor(minute / width) * width - start
      const ranges = measures.map(([name, measure]) => {
        const counter = numbers.get(counterOfPeriod(name, measure, period))!
        return { counter, from: before, to: end }
      })
      const found = await reader.call('steps', ranges)
      const facts = measures.map(([name], index): [string, MeasureFacts] => {
        const sum = (from: number, until: number) =>
          sumOf(found[index]!.filter(([step]) => step >= from && step < until))
        const value = sum(start, start + passed + width)
        // A month that was shorter has ended by now.
        const previous = sum(before, Math.min(before + passed + width, start))
        const change = previous === 0 ? null : value / previous - 1
        return [name, { value, previous, previousWhole: sum(before, start), change }]
      })
      return {
        period,
        startMs: start * MINUTE_MS,
        endMs: end * MINUTE_MS,
        measures: Object.fromEntries(facts),
      }
    },
    async totals() {
      const ranges = measures.map(([name]) => {
        const counter = numbers.get(counterName(name, ALL_TIME))!
        return { counter, from: 0, to: 1 }
      })
      const found = await reader.call('steps', ranges)
      return Object.fromEntries(measures.map(([name], index) => [name, sumOf(found[index]!)]))
    },
    async series(request: SeriesRequest) {
      const { series, grain, fromMs, toMs, label } = request
      const width = MINUTES_OF_GRAIN[grain]
      const from = Math.floor(fromMs / MINUTE_MS / width) * width
      const to = Math.ceil(toMs / MINUTE_MS / width) * width
      const only = label === undefined ? {} : { label }
      const counter = numbers.get(counterName(series, grain))
      assert(counter !== undefined, `"${series}" is kept by ${grain}`)
      const lines = await reader.call('series', {
        ...{ counter, from, to, width, top: request.top, ...only },
      })
      const count = Math.max(0, Math.round((to - from) / width))
      return {
        stepsMs: Array.from({ length: count }, (_, index) => (from + index * width) * MINUTE_MS),
        lines: lines.map(({ label, values }) => ({
          label,
          values: values.map((value) => value / AGGREGATE_SCALE),
        })),
      }
    },
    async newestMs() {
      const counters = measures.map(([name, measure]) => counterOfPeriod(name, measure, 'hour'))
      const newest = await Promise.all(
        counters.map((counter) => reader.call('newest', numbers.get(counter)!)),
      )
      const minute = Math.max(...newest.map((step) => step ?? Number.NEGATIVE_INFINITY))
      return Number.isFinite(minute) ? minute * MINUTE_MS : undefined
    },
    async close() {
      await Promise.all([writer.end(), reader.end()])
    },
  })
}

const sumOf = (values: readonly (readonly [number, number])[]) =>
  values.reduce((sum, [, value]) => sum + value, 0) / AGGREGATE_SCALE

interface AggregateThread {
  call<N extends keyof AggregateFunctions>(
    name: N,
    argument: Parameters<AggregateFunctions[N]>[0],
  ): Promise<ReturnType<AggregateFunctions[N]>>
  end(): Promise<void>
}

function threadOf(options: AggregateThreadOptions): AggregateThread {
  const worker = new Worker(new URL('./aggregate-thread.ts', import.meta.url), {
    workerData: options,
  })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let count = 0
  let ended: Error | undefined
  const end = (cause?: unknown) => {
    ended ??= new SinkFailedError(
      `The thread of the aggregates in ${options.file} has ended. They are as of their last version.`,
      { cause },
    )
    for (const { reject } of waiting.values()) reject(ended)
    waiting.clear()
  }
  worker.on('message', ({ call, value, failure }: AggregateReply) => {
    const one = waiting.get(call)
    waiting.delete(call)
    if (failure === undefined) one?.resolve(value)
    else one?.reject(new SinkFailedError(`The aggregates in ${options.file}: ${failure}`))
  })
  worker.on('error', end)
  worker.on('exit', () => end())
  const call: AggregateThread['call'] = (name, argument) => {
    if (ended !== undefined) return Promise.reject(ended)
    count += 1
    const mine = count
    return new Promise((resolve, reject) => {
      waiting.set(mine, { resolve: resolve as (value: unknown) => void, reject })
      worker.postMessage({ call: mine, name, argument })
    })
  }
  return {
    call,
    async end() {
      await call('close', undefined).catch(() => {})
      await worker.terminate()
    },
  }
}
