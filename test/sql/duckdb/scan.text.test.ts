import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compare } from '../../../src/model/predicate.ts'
import type { ScanPlan } from '../../../src/model/scan-plan.ts'
import { scanSql } from '../../../src/sql/duckdb/scan.ts'
import { openTestEngine, type TestEngine } from '../../lake/duckdb-ports.ts'

let folder: string
let engine: TestEngine
beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-text-'))
  engine = await openTestEngine()
})
afterAll(() => {
  engine?.close()
  rmSync(folder, { recursive: true })
})

test('text that its writer did not mark as text is text, beside files where it is marked', async () => {
  const files = ['marked', 'unmarked'].map((name) => path.join(folder, `${name}.parquet`))
  for (const [index, cell] of ['s', 'encode(s)'].entries())
    await engine.rows(
      `COPY (SELECT ${cell} AS s FROM (VALUES ('Größe \\x41'), (NULL)) t(s)) TO '${files[index]}' (FORMAT parquet)`,
    )
  const plan: ScanPlan = {
    table: 'text',
    version: '0',
    columns: [
      {
        name: 's',
        type: 'string',
        nullable: true,
        source: { kind: 'file', physicalName: 's', physicalType: 'string' },
      },
    ],
    residualColumns: [],
    matchBy: 'name',
    files: files.map((location) => ({ location, bytes: 1, rowCount: 2, partitionValues: [] })),
    residual: compare(['s'], '>', { type: 'string', value: 'Grö' }),
  }
  const row = { s: 'Größe \\x41' }
  expect(await engine.rows(scanSql(plan))).toEqual([row, row])
  expect(await engine.rows(scanSql({ ...plan, residual: undefined }))).toHaveLength(4)
})
