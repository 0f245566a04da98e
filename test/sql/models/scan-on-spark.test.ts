import { describe, expect, test } from 'vitest'
import type { ScanColumn, ScanFile, ScanPlan } from '../../../src/model/scan-plan.ts'
import { sparkScan } from '../../../src/sql/models/scan-on-spark.ts'

// Which plans Spark reads where they lie, and how. That it sees the same rows is for `test/interop/lake-on-spark.test.ts`.

const id: ScanColumn = {
  ...{ name: 'id', type: 'int64', nullable: true },
  source: { kind: 'file', physicalName: 'col-7', physicalType: 'int64' },
}
const region: ScanColumn = {
  ...{ name: 'region', type: 'string', nullable: true },
  source: { kind: 'partition', index: 0 },
}
const file = (name: string, more: Partial<ScanFile> = {}): ScanFile => ({
  ...{ location: `/lake/t/${name}`, bytes: 1, rowCount: 9, partitionValues: ["o'k"] },
  ...more,
})
const plan = (more: Partial<ScanPlan> = {}): ScanPlan => ({
  ...{ table: 't', version: '1', columns: [id, region], residualColumns: [], matchBy: 'name' },
  ...{ files: [file('a.parquet'), file('b.parquet')], residual: undefined },
  ...more,
})

describe('a scan on Spark', () => {
  test('takes values of whole files and deleted rows from beside the files', () => {
    const deletedRows = { positions: Float64Array.of(2, 5) }
    const scan = sparkScan(plan({ files: [file('a.parquet', { deletedRows })] }), 'x')!
    expect(scan.paths).toEqual(['/lake/t/a.parquet'])
    expect(JSON.parse(scan.schema)).toEqual({
      type: 'struct',
      fields: [{ name: 'col-7', type: 'long', nullable: true, metadata: {} }],
    })
    expect(scan.columns[0]).toBe('`col-7` AS `id`')
    expect(scan.sql).toContain('JOIN x__constants USING (mekong_file)')
    expect(scan.sql).toContain('ANTI JOIN x__deleted USING (mekong_file, mekong_row)')
    expect(scan.beside.get('x__constants')).toContain("('a.parquet', 'o''k'::VARCHAR)")
    expect(scan.beside.get('x__deleted')).toContain('unnest([2, 5]::BIGINT[])')
  })

  test('finds columns by their ids where the plan does', () => {
    const source = {
      kind: 'file',
      physicalName: 'old',
      physicalType: 'float64',
      fieldId: 3,
    } as const
    const fraction: ScanColumn = { name: 'now', type: 'float64', nullable: true, source }
    const scan = sparkScan(plan({ columns: [fraction], matchBy: 'field_id' }), 'x')!
    expect(JSON.parse(scan.schema)).toMatchObject({
      fields: [{ name: 'now', type: 'double', metadata: { 'parquet.field.id': 3 } }],
    })
    expect([scan.byFieldId, scan.mistrustsBounds]).toEqual([true, true])
  })

  const withSource = (more: object): ScanColumn => ({
    ...id,
    source: { ...id.source, ...more } as ScanColumn['source'],
  })
  test.each<[string, Partial<ScanPlan>]>([
    ['no files', { files: [] }],
    ['deletes by value', { files: [file('a.parquet', { equalityDeletes: [0] })] }],
    ['a path that is a pattern', { files: [file('a*.parquet')] }],
    ['a file that Spark hides', { files: [file('_a.parquet')] }],
    ['a file elsewhere', { files: [file('a', { location: 's3://lake/a.parquet' })] }],
    ['two files of one name', { files: [file('1/a.parquet'), file('2/a.parquet')] }],
    ['a default value', { columns: [withSource({ missing: 7n })] }],
    [
      'names for files without ids',
      { matchBy: 'field_id', columns: [withSource({ fieldId: 1, names: ['id'] })] },
    ],
    [
      'too many deleted rows',
      { files: [file('a.parquet', { deletedRows: { positions: new Float64Array(600_000) } })] },
    ],
  ])('is not made of %s', (_, more) => {
    expect(sparkScan(plan(more), 'x')).toBeUndefined()
  })
})
