import type { DatabaseSync } from 'node:sqlite'
import {
  AGGREGATE_SCALE,
  type AggregateDeltas,
  type AggregatesShape,
  ALL_TIME,
  counterName,
  GRAINS,
  type Grain,
  MINUTES_OF_GRAIN,
  PERIODS,
  summedMeasures,
} from '../../model/aggregates.ts'
import { aggregateVersion, counterNumbers } from './aggregate-rows.ts'
import { countMembers } from './count-members.ts'

export interface AddOptions {
  readonly deltas: AggregateDeltas
  /** Version that the counts stand for now. */
  readonly from: number
  /** And then. */
  readonly to: number
  /** Begin from nothing: the deltas are all there is. */
  readonly anew: boolean
}

/** Add, unless it was added already. */
export function addDeltas(
  database: DatabaseSync,
  shape: AggregatesShape,
  { deltas, from, to, anew }: AddOptions,
): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    if (!anew && aggregateVersion(database) !== from) {
      database.exec('ROLLBACK')
      return
    }
    if (anew)
      database.exec(
        'DELETE FROM counts; DELETE FROM labels; DELETE FROM members; DELETE FROM member_months',
      )
    const counters = openCounters(database, shape)
    addMeasures(counters, shape, deltas)
    addSeries(counters, shape, deltas, labelNumbers(database))
    for (const [measure, rows] of Object.entries(deltas.members)) {
      const moves = countMembers(database, counters.number(measure, ALL_TIME), rows)
      for (const by of [...PERIODS, ALL_TIME])
        for (const [step, change] of moves[by])
          counters.add(counters.number(measure, by), step, NO_LABEL, change * AGGREGATE_SCALE)
    }
    database
      .prepare(
        `INSERT INTO facts VALUES ('version', ?) ON CONFLICT DO UPDATE SET value = excluded.value`,
      )
      .run(to)
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/** The label of what has none. */
const NO_LABEL = 0

function addMeasures(counters: Counters, shape: AggregatesShape, { measures }: AggregateDeltas) {
  const sums = summedMeasures(shape).map((name) => counters.sums(name, [...GRAINS, ALL_TIME]))
  for (const [minute, ...changes] of JSON.parse(measures) as [number, ...number[]][])
    for (const [index, sum] of sums.entries()) sum.take(minute, NO_LABEL, changes[index]!)
  for (const sum of sums) sum.end()
}

function addSeries(
  counters: Counters,
  shape: AggregatesShape,
  { series }: AggregateDeltas,
  labelNumber: (label: string) => number,
) {
  for (const [name, rows] of Object.entries(series)) {
    const { grains } = shape.series[name]!
    const sums = counters.sums(name, grains)
    for (const [step, label, change] of JSON.parse(rows) as [number, string, number][])
      sums.take(step, labelNumber(label), change)
    sums.end()
  }
}

type Counters = ReturnType<typeof openCounters>

function openCounters(database: DatabaseSync, shape: AggregatesShape) {
  const numbers = counterNumbers(shape)
  const statement = database.prepare(
    'INSERT INTO counts VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value',
  )
  const number = (name: string, by: Parameters<typeof counterName>[1]) =>
    numbers.get(counterName(name, by))!
  const add = (counter: number, step: number, label: number, change: number) => {
    if (change !== 0) statement.run(counter, step, label, change)
  }
  return {
    number,
    add,
    /** Sums by several steps of what comes in order of time, so that only those of the moment are held. */
    sums(name: string, by: readonly (Grain | typeof ALL_TIME)[]) {
      const open = by.map((one) => ({
        counter: number(name, one),
        width: one === ALL_TIME ? Number.POSITIVE_INFINITY : MINUTES_OF_GRAIN[one],
        step: 0,
        changes: new Map<number, number>(),
      }))
      const end = (one: (typeof open)[number]) => {
        for (const [label, change] of one.changes) add(one.counter, one.step, label, change)
        one.changes.clear()
      }
      return {
        take(minute: number, label: number, change: number) {
          for (const one of open) {
            const step =
              one.width === Number.POSITIVE_INFINITY
                ? 0
                : Math.floor(minute / one.width) * one.width
            if (step !== one.step) end(one)
            one.step = step
            const held = one.changes.get(label) ?? 0
            const isExact = Number.isSafeInteger(held + change)
            if (!isExact) add(one.counter, one.step, label, held)
            one.changes.set(label, isExact ? held + change : change)
          }
        },
        end: () => open.forEach(end),
      }
    },
  }
}

/** The numbers that labels have in the file, given when they are new. */
function labelNumbers(database: DatabaseSync): (label: string) => number {
  const known = new Map<string, number>()
  const find = database.prepare('SELECT id FROM labels WHERE label = ?')
  const name = database.prepare('INSERT INTO labels (label) VALUES (?)')
  return (label) => {
    let number = known.get(label)
    if (number === undefined) {
      const found = find.get(label)
      number = Number(found === undefined ? name.run(label).lastInsertRowid : found.id)
      known.set(label, number)
    }
    return number
  }
}
