import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bigqueryConfig } from '../../../src/serve/bigquery/config.ts'
import { bigqueryWarehouse } from '../../../src/serve/bigquery/warehouse.ts'
import type { TableLoad, WarehouseTable } from '../../../src/serve/warehouse.ts'
import { describeWarehouse } from '../../conformance/warehouse.ts'
import { type BigqueryStandIn, startBigqueryStandIn, TOKEN } from './stand-in.ts'

const PLACE = { project: 'a-project', location: 'europe-west3' }
const configOf = ({ url }: BigqueryStandIn, accessToken = TOKEN) =>
  bigqueryConfig({ ...PLACE, url, accessToken })

describeWarehouse("a stand-in with BigQuery's REST API", async () => {
  const standIn = await startBigqueryStandIn(PLACE)
  return {
    warehouse: bigqueryWarehouse(configOf(standIn)),
    rows: standIn.rows,
    close: standIn.close,
  }
})

describe('a load into BigQuery', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-bigquery-load-'))
  let standIn: BigqueryStandIn
  beforeAll(async () => {
    standIn = await startBigqueryStandIn(PLACE)
  })
  afterAll(async () => {
    await standIn.close()
    rmSync(folder, { recursive: true })
  })
  const table: WarehouseTable = {
    name: 'raw.lines',
    columns: [
      { name: 'order_date', type: 'date', nullable: false },
      { name: 'note', type: 'string', nullable: true },
    ],
    load: { by: 'day', day: 'order_date' },
  }
  const loadOf = (...notes: string[]): TableLoad => {
    const file = path.join(folder, 'lines.csv')
    writeFileSync(file, `order_date,note\n${notes.map((note) => `2024-01-01,${note}\n`).join('')}`)
    return { table, file, rowCount: notes.length, days: ['2024-01-01'] }
  }
  const notes = async () => (await standIn.rows('SELECT note FROM raw.lines ORDER BY 1')).flat()
  const ofKind = (kind: string) => standIn.jobIds.filter((id) => id.startsWith(`mekong_${kind}_`))

  test('whose answers are lost on the way is done once', async () => {
    const warehouse = bigqueryWarehouse(configOf(standIn))
    await warehouse.open([table], [])
    const load = () => warehouse.load('c', [loadOf('a', '"two\nlines"')], { version: 1, day: 'd' })
    standIn.faults.push({ kind: 'lost_answer', of: 'mekong_stage' })
    await expect(load()).rejects.toMatchObject({ code: 'SINK_UNAVAILABLE', retry: 'later' })
    expect(ofKind('stage')).toHaveLength(1)
    standIn.faults.push({ kind: 'lost_answer', of: 'mekong_apply' })
    // As another process would go on after a crash.
    await load()
    expect(await notes()).toEqual(['a', 'two\nlines'])
    expect(ofKind('stage')).toHaveLength(1)
    expect(ofKind('apply')).toHaveLength(1)
    expect(
      await standIn.rows(
        `SELECT 1 FROM information_schema.tables WHERE table_name LIKE 'arriving%'`,
      ),
    ).toEqual([])
  })

  test('that is made again on purpose has jobs of its own', async () => {
    const warehouse = bigqueryWarehouse(configOf(standIn))
    const cursor = { version: 2, day: 'd' }
    for (const note of ['b', 'c', 'b']) {
      await warehouse.load('c', [loadOf(note)], cursor)
      expect(await notes()).toEqual([note])
    }
  })

  test('whose job fails by itself is tried again under another id; bad rows are not', async () => {
    const warehouse = bigqueryWarehouse(configOf(standIn))
    const before = ofKind('apply').length
    const bad = loadOf('d')
    writeFileSync(bad.file, 'order_date,note\nnever,d\n')
    for (const tries of [1, 2]) {
      await expect(warehouse.load('c', [bad], { version: 3, day: 'd' })).rejects.toMatchObject({
        code: 'SINK_FAILED',
      })
      expect(ofKind('apply')).toHaveLength(before + tries)
    }
    standIn.faults.push({ kind: 'backend_error', of: 'mekong_apply' })
    await warehouse.load('c', [loadOf('e')], { version: 3, day: 'd' })
    expect(await notes()).toEqual(['e'])
  })

  test('without rights says so', async () => {
    const warehouse = bigqueryWarehouse(configOf(standIn, 'another'))
    await expect(warehouse.cursor('c')).rejects.toMatchObject({ code: 'SINK_MISCONFIGURED' })
  })
})
