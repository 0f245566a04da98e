import { describe, expect, test } from 'vitest'
import type { Columns } from '../../../src/model/column.ts'
import { type RowClause, sql } from '../../../src/model/row-edit.ts'
import { quoteIdentifier } from '../../../src/sql/duckdb/quote-identifier.ts'
import { digestsSql, type EditSql, editsSql } from '../../../src/sql/duckdb/row-edits.ts'
import { FILE_COLUMN, ROW_COLUMN } from '../../../src/sql/duckdb/scan.ts'
import { engineForTests } from './engine-for-tests.ts'

const held = engineForTests()

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'text', type: 'string', nullable: true },
  { name: 'number', type: 'float64', nullable: true },
  { name: 'moment', type: 'timestamp', nullable: true },
  { name: 'bytes', type: 'binary', nullable: true },
  {
    name: 'parts',
    nullable: true,
    type: { kind: 'list', element: 'string', elementNullable: true },
  },
]
/** Values beside others that one may take for them. */
const VALUES = {
  text: ['NULL', `''`, `'NULL'`, `'"'`],
  number: [
    'NULL::DOUBLE',
    '0.1::DOUBLE',
    '0.1::DOUBLE + 0.2::DOUBLE',
    '0.3::DOUBLE',
    `'nan'`,
    `'inf'`,
  ],
  moment: ['NULL::TIMESTAMPTZ', `'2026-01-01 00:00:00+00'`, `'2026-01-01 00:00:00.000001+00'`],
  bytes: ['NULL::BLOB', `''::BLOB`, `'\\x00'::BLOB`, `'00'::BLOB`],
  parts: ['NULL::VARCHAR[]', '[]', '[NULL]', `['']`, `['NULL']`, `['a, b']`, `['a', 'b']`],
}
const COMPARED = Object.keys(VALUES)
const MATCHED: RowClause = {
  when: 'matched',
  condition: { kind: 'source_differs', columns: COMPARED },
  do: { set: {} },
}

const edits = (clauses: readonly RowClause[], source = 'source_rows'): EditSql => ({
  target: { columns: COLUMNS } as never,
  scan: () =>
    `SELECT 0::BIGINT AS ${quoteIdentifier(FILE_COLUMN)}, id AS ${quoteIdentifier(ROW_COLUMN)}, * FROM target_rows`,
  ...{ clauses, edits: 'edits' },
  source: {
    ...{ table: source, on: { keys: ['id'] } },
    relation: { name: source, columns: COLUMNS, rowCount: 1 },
  },
})

describe('row edits', () => {
  test('comparing digests finds the rows that comparing rows finds', async () => {
    const { connection } = held
    const values = Object.entries(VALUES).map(
      ([name, cells]) => `(SELECT unnest([${cells.join(', ')}]) AS ${name})`,
    )
    await connection.run(
      `CREATE TABLE every AS SELECT row_number() OVER () - 1 AS n, * FROM ${values.join(', ')}`,
    )
    // Each row beside itself, and beside two others.
    const side = (n: string) =>
      `SELECT p.id, ${COMPARED.join(', ')} FROM (SELECT n * 3 + s AS id, n, (n + s * 37) % (SELECT count(*) FROM every) AS m FROM every, range(3) AS r(s)) AS p JOIN every ON every.n = p.${n}`
    await connection.run(`CREATE TABLE target_rows AS ${side('n')}`)
    await connection.run(
      `CREATE TABLE source_rows AS SELECT row_number() OVER () AS "mekong source", * FROM (${side('m')})`,
    )
    const wanted = edits([MATCHED])
    await connection.run(`CREATE TABLE by_rows AS ${editsSql(wanted)}`)
    await connection.run(`CREATE TABLE digests AS ${digestsSql(wanted)}`)
    const found = editsSql({ ...edits([MATCHED], 'digests'), hasDigests: true })
    await connection.run(`CREATE TABLE by_digests AS ${found}`)
    const other = (a: string, b: string) =>
      `(SELECT count(*) FROM (FROM ${a} EXCEPT ALL FROM ${b}))`
    const [row] = await connection.rows(
      `SELECT count("mekong edit action"), count(*) - count("mekong edit action"), ${other('by_rows', 'by_digests')}, ${other('by_digests', 'by_rows')} FROM by_rows`,
    )
    const [changed, same, lost, made] = row!.map(Number)
    expect([lost, made]).toEqual([0, 0])
    // Two of three differ, and the third is the same row.
    expect([changed, same]).toEqual([4_032, 2_016])
  })

  test('conditions that look at more than digests have none', () => {
    const looks = { ...MATCHED, condition: sql('source.number > 1') } as RowClause
    expect(digestsSql(edits([MATCHED]))).toContain('sha256')
    expect(digestsSql(edits([MATCHED, looks]))).toBeUndefined()
    expect(digestsSql(edits([{ when: 'matched', do: 'delete' }]))).toBeUndefined()
  })
})
