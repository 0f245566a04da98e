import path from 'node:path'
import fc from 'fast-check'
import { expect } from 'vitest'
import type { Columns } from '../../src/model/column.ts'
import type { Predicate } from '../../src/model/predicate.ts'
import type { ScanPlan } from '../../src/model/scan-plan.ts'
import { type Judge, JudgeError } from './judge.ts'
import { type ConditionChoice, drawCondition } from './random-condition.ts'
import { rowsSql } from './random-rows.ts'
import { isNightly } from './random-runs.ts'
import { expectSameRows, type Rows, rowsOfFile, rowsOfPlan, type Workshop } from './workshop.ts'

/** A table that another engine writes. */
export interface TheirTable {
  readonly workshop: Workshop
  readonly engine: Judge
  readonly key: string
  /** Absolute. */
  readonly location: string
  readonly partitionBy: readonly string[]
  /** Those of the newest version. */
  columns: Columns
  nextKey: number
  /** A DuckDB table with the rows that the engine itself read last. */
  readonly current: string
}

/** A table that is still to be made. */
export function theirTable(
  workshop: Workshop,
  engine: Judge,
  { columns, partitionBy, key }: Pick<TheirTable, 'columns' | 'partitionBy' | 'key'>,
): TheirTable {
  const location = path.join(workshop.folder, key)
  const current = `"current rows of ${key}"`
  return {
    ...{ workshop, engine, key, location, partitionBy, columns },
    ...{ nextKey: 0, current },
  }
}

/** One thing that the engine does to the table. */
export interface TheirStep {
  readonly name: string
  run(table: TheirTable): Promise<unknown>
}

/** How we open a table, of either format. */
export interface OurReader {
  snapshot(): Promise<{
    readonly columns: Columns
    plan(options?: { readonly predicate?: Predicate }): Promise<ScanPlan>
  }>
}

export interface TheirEngine {
  readonly name: string
  readonly judge: Judge
  open(table: TheirTable): Promise<OurReader>
  /** Write the rows of the newest version to the Parquet file `out`. */
  read(table: TheirTable, out: string): Promise<unknown>
}

/** What was done and what was refused, by the name of the step. */
export type Tally = Record<string, { done: number; refused: number; refusals: string[] }>

export function theirStep<P>(
  name: string,
  parameters: fc.Arbitrary<P>,
  run: (table: TheirTable, parameters: P) => Promise<unknown>,
): fc.Arbitrary<TheirStep> {
  return parameters.map((given) => ({
    name,
    run: (table: TheirTable) => run(table, given),
    [fc.toStringMethod]: () => `${name} ${JSON.stringify(given)}`,
  }))
}

/** Let the engine do the steps, and read the table after each of them as it does. */
export async function followSteps(
  at: TheirTable,
  engine: TheirEngine,
  { steps, conditions, tally }: FollowOptions,
): Promise<void> {
  let table: OurReader | undefined
  for (const step of steps) {
    await isDone(tally, step, at)
    const theirs = await readAsTheyDo(at, engine, tally)
    // It has written what it cannot read itself, so that nobody knows what is right.
    if (theirs === undefined) return
    // One that has been open all the time follows the log; a new one begins at the newest checkpoint.
    table ??= await engine.open(at)
    for (const reader of [table, await engine.open(at)]) {
      const plan = await (await reader.snapshot()).plan()
      await expectSameRows(at.workshop, await rowsOfPlan(at.workshop, plan), theirs)
    }
    // The same as theirs, which was just seen.
    at.columns = (await table.snapshot()).columns
  }
  for (const choice of conditions) await expectSameWhere(at, engine, choice)
}

/** A judge that refuses most of what it is asked has judged nothing. */
export function expectMostlyDone(tally: Tally): void {
  const counts = Object.values(tally)
  const done = counts.reduce((sum, count) => sum + count.done, 0)
  const refused = counts.reduce((sum, count) => sum + count.refused, 0)
  if (isNightly) console.log(tally)
  expect(refused, JSON.stringify(tally, null, 2)).toBeLessThan(done)
  const { create } = tally
  if (isNightly && create !== undefined) expect(create.refused).toBeLessThan(create.done)
}

interface FollowOptions {
  readonly steps: readonly TheirStep[]
  readonly conditions: readonly ConditionChoice[]
  readonly tally: Tally
}

/** Run a step; false when the engine refused. What it does not do is no fault of ours, and the table is as far as it came. */
export async function isDone(tally: Tally, step: TheirStep, at: TheirTable): Promise<boolean> {
  tally[step.name] ??= { done: 0, refused: 0, refusals: [] }
  const counts = tally[step.name]!
  try {
    await step.run(at)
    counts.done += 1
    return true
  } catch (error) {
    if (!(error instanceof JudgeError)) throw error
    counts.refused += 1
    const refusal = error.message.slice(0, 120)
    if (counts.refusals.length < 4 && !counts.refusals.includes(refusal))
      counts.refusals.push(refusal)
    return false
  }
}

async function readAsTheyDo(
  at: TheirTable,
  engine: TheirEngine,
  tally: Tally,
): Promise<Rows | undefined> {
  const out = at.workshop.newFile()
  const step = { name: 'read', run: () => engine.read(at, out) }
  if (!(await isDone(tally, step, at))) return undefined
  const rows = rowsOfFile(engine.name, out)
  await at.workshop.sql(`CREATE OR REPLACE TABLE ${at.current} AS ${rows.query}`)
  return rows
}

/** Choosing files by what they wrote of statistics loses no rows. */
async function expectSameWhere(
  at: TheirTable,
  engine: TheirEngine,
  choice: ConditionChoice,
): Promise<void> {
  const drawn = { table: at.current, columns: at.columns }
  const condition = await drawCondition(at.workshop, drawn, choice)
  if (condition === undefined) return
  const table = await engine.open(at)
  const plan = await (await table.snapshot()).plan({ predicate: condition.predicate })
  const where = condition.duckdb
  await expectSameRows(at.workshop, await rowsOfPlan(at.workshop, plan), {
    from: `theirs where ${where}`,
    query: `FROM ${at.current} WHERE ${where}`,
  })
}

/** A Parquet file with new random rows for the table. */
export function newRowsFile(at: TheirTable, count: number, seed: number): Promise<string> {
  const choice = { from: at.nextKey, count, seed, partitionBy: at.partitionBy }
  at.nextKey += count
  return at.workshop.fileOf(rowsSql(at.columns, choice))
}

/** A Parquet file with random rows, the first of which have keys that are in the table. */
export function mixedRowsFile(at: TheirTable, count: number, seed: number): Promise<string> {
  const from = Math.max(0, at.nextKey - Math.ceil(count / 2))
  at.nextKey = from + count
  return at.workshop.fileOf(rowsSql(at.columns, { from, count, seed, partitionBy: at.partitionBy }))
}
