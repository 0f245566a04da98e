import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compare, isIn, not, type Predicate } from '../../../src/model/predicate.ts'
import type { ScanPlan } from '../../../src/model/scan-plan.ts'
import { scanSql } from '../../../src/sql/duckdb/scan.ts'
import { compileScan } from '../../../src/sql/duckdb/scan-by-id.ts'
import { openTestEngine, type TestEngine } from '../../lake/duckdb-ports.ts'

// Arrow's Parquet writers (delta-rs, PyIceberg, Polars) leave NaN out of the bounds of a row group, as the Parquet format says.
// DuckDB orders NaN above everything and yet goes by those bounds: of 1, 5 and NaN with the bounds 1 and 5 it passes over NaN.

let folder: string
let engine: TestEngine
let file: string
beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-nan-'))
  file = path.join(folder, 'nan.parquet')
  writeFileSync(file, Buffer.from(ONE_FIVE_NAN, 'base64'))
  engine = await openTestEngine()
})
afterAll(() => {
  engine?.close()
  rmSync(folder, { recursive: true })
})

const V = { name: 'v', type: 'float64', nullable: true } as const
const byName = (residual: Predicate | undefined, more: object = {}): ScanPlan => ({
  table: 'nan',
  version: '0',
  columns: [
    { ...V, source: { kind: 'file', physicalName: 'v', physicalType: 'float64', ...more } },
  ],
  residualColumns: [],
  matchBy: 'name',
  files: [{ location: file, bytes: 277, rowCount: 3, partitionValues: [] }],
  residual,
})
/** Names for files without ids make the scan look at footers. */
const byId = (residual: Predicate | undefined): ScanPlan => ({
  ...byName(residual, { fieldId: 1, names: ['v'] }),
  matchBy: 'field_id',
})

const number = (value: number) => ({ type: 'float64', value }) as const
const v = (op: '=' | '<>' | '<' | '<=' | '>' | '>=', value: number) =>
  compare(['v'], op, number(value))

const CASES: readonly (readonly [text: string, predicate: Predicate, rows: readonly unknown[]])[] =
  [
    ['v > 296', v('>', 296), ['NaN']],
    ['v >= 6', v('>=', 6), ['NaN']],
    ['v > 1', v('>', 1), [5, 'NaN']],
    ['v <> 5', v('<>', 5), [1, 'NaN']],
    ['v = NaN', v('=', Number.NaN), ['NaN']],
    ['v in (7, NaN)', isIn(['v'], [number(7), number(Number.NaN)]), ['NaN']],
    ['v < 10', v('<', 10), [1, 5]],
    ['v <= 5', v('<=', 5), [1, 5]],
    ['v < NaN', v('<', Number.NaN), [1, 5]],
    ['not v <= 5', not(v('<=', 5)), ['NaN']],
  ]

describe('NaN that bounds leave out', () => {
  test.each(CASES)('is found, or left out, where %s', async (_, predicate, rows) => {
    const ask = async (plan: ScanPlan) =>
      (await engine.rows(await compileScan(plan, rowsOf))).map((row) => row.v)
    expect(await ask(byName(predicate))).toEqual(rows)
    expect(await ask(byId(predicate))).toEqual(rows)
  })

  test("is found under a person's own condition, and by max", async () => {
    for (const plan of [byName(undefined), byId(undefined)]) {
      const scan = await compileScan(plan, rowsOf)
      expect(await engine.rows(`SELECT v FROM (${scan}) WHERE v > 296`)).toEqual([{ v: 'NaN' }])
      expect(await engine.rows(`SELECT v FROM (${scan}) WHERE v < 10`)).toHaveLength(2)
      expect(await engine.rows(`SELECT max(v) AS v FROM (${scan})`)).toEqual([{ v: 'NaN' }])
    }
  })

  test('costs nothing where a lake knows better, and files are still passed over for small numbers', () => {
    expect(scanSql(byName(v('>', 1), { hasSafeBounds: true }))).not.toContain('greatest')
    expect(scanSql(byName(v('<', 10)))).toMatch(/WHERE "mekong files"\."f v" < /)
    expect(scanSql(byName(v('>', 10)))).not.toMatch(/"f v" > /)
  })
})

const rowsOf = async (sql: string) =>
  (await engine.connection.runAndReadAll(sql)).getRows() as unknown[][]

/** Written by Arrow: a column `v` with 1, 5 and NaN; its bounds are 1 and 5. */
const ONE_FIVE_NAN =
  'UEFSMRUAFTwVPCwVBhUAFQYVBhwYCAAAAAAAABRAGAgAAAAAAADwPxYAKAgAAAAAAAAUQBgIAAAAAAAA8D8REQAAAAIAAAAGAQAAAAAA' +
  'APA/AAAAAAAAFEAAAAAAAAD4fxUEGSw1ABgGc2NoZW1hFQIAFQolAhgBdgAWBhkcGRwmABwVChklBgAZGAF2FQAWBha6ARa6ASYIPBgI' +
  'AAAAAAAAFEAYCAAAAAAAAPA/FgAoCAAAAAAAABRAGAgAAAAAAADwPxERABkcFQAVABUCADwpBhkmAAYAAAAWugEWBiYIFroBACggcGFy' +
  'cXVldC1jcHAtYXJyb3cgdmVyc2lvbiAyNi4wLjEZHBwAAACsAAAAUEFSMQ=='
