import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EditMetrics } from '../../src/lake/row-edits.ts'
import type {
  DeleteOptions,
  MergeOptions,
  OverwriteOptions,
  UpdateOptions,
} from '../../src/lake/row-statements.ts'
import type { RowsPort } from '../../src/lake/rows-port.ts'
import type { StageFilesPort } from '../../src/lake/stage-files.ts'
import type { Columns } from '../../src/model/column.ts'
import { and, compare, isIn, type Predicate } from '../../src/model/predicate.ts'
import type { Relation } from '../../src/model/relation.ts'
import { sql } from '../../src/model/row-edit.ts'
import { predicateSql } from '../../src/sql/duckdb/scan.ts'

// Statements that change rows, for every table format alike.

type Outcome = { readonly status: string; readonly metrics?: EditMetrics; readonly reason?: string }

export interface EditableTable {
  delete(options?: DeleteOptions): Promise<Outcome>
  update(options: UpdateOptions): Promise<Outcome>
  merge(options: MergeOptions): Promise<Outcome>
  overwrite(relation: Relation, options?: OverwriteOptions): Promise<Outcome>
}

export interface EditableLake<T extends EditableTable> {
  readonly engine: {
    rows(sql: string): Promise<Record<string, unknown>[]>
    relation(sql: string, columns: Columns): Promise<Relation>
  }
  table(options: TableOptions): Promise<T>
  append(table: T, sql: string, columns: Columns): Promise<unknown>
  expectRows(table: T, sql: string): Promise<void>
  /**
   * The same table as somebody else sees it, with another engine for its rows if need be. `staged` is called once, when data files
   * were staged.
   */
  again(table: T, rows?: (port: RowsPort) => RowsPort, staged?: () => Promise<unknown>): Promise<T>
  close(): Promise<void>
}

export interface TableOptions {
  readonly columns: Columns
  readonly properties?: Readonly<Record<string, string>>
  readonly partitionBy?: readonly string[]
}

export interface EditKind {
  readonly name: string
  readonly marks: boolean
  readonly options: Omit<TableOptions, 'columns'>
}

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'g', type: 'string', nullable: true },
  { name: 'v', type: 'float64', nullable: true },
]
const rowsSql = (from: number, count = 20) =>
  `SELECT (${from} + range)::BIGINT AS id, CASE WHEN range % 7 = 6 THEN NULL ELSE 'g' || (range % 3) END AS g,
   (range / 4)::DOUBLE AS v FROM range(${count})`

const idIs = (op: '=' | '<' | '>=', value: number): Predicate =>
  compare(['id'], op, { type: 'int64', value: BigInt(value) })

/** `moreProperties`: of tables with random statements, one of these at a time. */
export function rowEditsSuite<T extends EditableTable>({
  open,
  kinds,
  moreProperties,
}: {
  readonly open: () => Promise<EditableLake<T>>
  readonly kinds: readonly EditKind[]
  readonly moreProperties: readonly Readonly<Record<string, string>>[]
}): void {
  let lake: EditableLake<T>
  beforeAll(async () => {
    lake = await open()
  })
  afterAll(() => lake.close())

  const filled = async (options: object = {}) => {
    const table = await lake.table({ columns: COLUMNS, ...options })
    for (const from of [0, 20, 40]) await lake.append(table, rowsSql(from), COLUMNS)
    return table
  }
  const all = [0, 20, 40].map((from) => rowsSql(from)).join(' UNION ALL ')

  describe.each(kinds)('rows, $name', ({ options, marks }) => {
    test('are deleted by a predicate, and files that cannot match are not looked at', async () => {
      const table = await filled(options)
      const where = and(idIs('>=', 25), idIs('<', 30))
      const outcome = await table.delete({ where })
      expect(outcome).toMatchObject({ status: 'committed', metrics: { deletedRowCount: 5 } })
      const metrics = outcome.metrics!
      expect(metrics.scannedFileCount).toBeLessThanOrEqual('partitionBy' in options ? 4 : 1)
      if (marks) expect(metrics).toMatchObject({ addedFileCount: 0 })
      else expect(metrics).toMatchObject({ markedFileCount: 0 })
      await lake.expectRows(table, `SELECT * FROM (${all}) WHERE NOT (id >= 25 AND id < 30)`)
      // Again: nothing is left to delete, and nothing is committed.
      expect(await table.delete({ where })).toMatchObject({ status: 'unchanged' })
      // Rows of a file that has lost some already.
      await table.delete({ where: sql('id % 2 = 0') })
      await lake.expectRows(
        table,
        `SELECT * FROM (${all}) WHERE NOT (id >= 25 AND id < 30) AND id % 2 = 1`,
      )
    })

    test('are all deleted without a look into the files', async () => {
      const table = await filled(options)
      expect(await table.delete()).toMatchObject({
        metrics: { deletedRowCount: 60, scannedFileCount: 0 },
      })
      await lake.expectRows(table, `SELECT * FROM (${all}) WHERE false`)
    })

    test('are updated, also into another partition', async () => {
      const table = await filled(options)
      const outcome = await table.update({
        where: isIn(['g'], [{ type: 'string', value: 'g1' }]),
        set: { g: { type: 'string', value: 'new' }, v: sql('v + id') },
      })
      expect(outcome).toMatchObject({ status: 'committed' })
      await lake.expectRows(
        table,
        `SELECT id, CASE WHEN g = 'g1' THEN 'new' ELSE g END, CASE WHEN g = 'g1' THEN v + id ELSE v END FROM (${all})`,
      )
    })

    test('are merged: updated, deleted, inserted', async () => {
      const table = await filled(options)
      const source = await lake.engine.relation(
        `SELECT (50 + range)::BIGINT AS id, 's' AS g, range::DOUBLE AS v FROM range(20)`,
        COLUMNS,
      )
      const outcome = await table.merge({
        source,
        on: { keys: ['id'] },
        clauses: [
          { when: 'matched', condition: sql('source.v >= 5'), do: 'delete' },
          {
            when: 'matched',
            condition: sql('target.id % 2 = 0'),
            do: { set: { v: sql('target.v + source.v') } },
          },
          { when: 'not_matched', condition: sql('source.id <> 65'), do: 'insert' },
        ],
      })
      expect(outcome).toMatchObject({
        status: 'committed',
        metrics: { deletedRowCount: 5, updatedRowCount: 3, insertedRowCount: 9 },
      })
      await lake.expectRows(
        table,
        `SELECT id, g, CASE WHEN id >= 50 AND id % 2 = 0 THEN v + id - 50 ELSE v END FROM (${all}) WHERE id < 55
       UNION ALL SELECT id, g, v FROM ${source.name} WHERE id >= 60 AND id <> 65`,
      )
    })

    test('that the source would not change stay where they are, null being null', async () => {
      const table = await filled(options)
      const source = await lake.engine.relation(
        `SELECT id, g, CASE WHEN id IN (50, 56) THEN coalesce(v, 0) + 1 ELSE v END AS v FROM (${all}) WHERE id >= 45`,
        COLUMNS,
      )
      const differs = { kind: 'source_differs', columns: ['g', 'v'] } as const
      const merge = () =>
        table.merge({
          source,
          on: { keys: ['id'] },
          clauses: [{ when: 'matched', condition: differs, do: 'update' }],
        })
      expect(await merge()).toMatchObject({ metrics: { updatedRowCount: 2, insertedRowCount: 0 } })
      expect(await merge()).toMatchObject({ status: 'unchanged' })
      await lake.expectRows(
        table,
        `SELECT id, g, v FROM (${all}) WHERE id < 45 UNION ALL SELECT * FROM ${source.name}`,
      )
    })

    test('that the source lacks are changed where a clause says so', async () => {
      const table = await filled(options)
      const source = await lake.engine.relation(
        `SELECT 3::BIGINT AS id, 'x' AS g, 1::DOUBLE AS v`,
        COLUMNS,
      )
      await table.merge({
        source,
        on: { keys: ['id'] },
        clauses: [
          { when: 'matched', do: 'update' },
          { when: 'not_matched_by_source', condition: idIs('>=', 50), do: 'delete' },
          { when: 'not_matched_by_source', condition: idIs('<', 2), do: { set: { v: null } } },
        ],
      })
      await lake.expectRows(
        table,
        `SELECT id, CASE WHEN id = 3 THEN 'x' ELSE g END, CASE WHEN id = 3 THEN 1 WHEN id < 2 THEN NULL ELSE v END FROM (${all}) WHERE id < 50`,
      )
    })

    test('are replaced, whole and in part', async () => {
      const table = await filled(options)
      const part = await lake.engine.relation(rowsSql(20, 3), COLUMNS)
      const where = and(idIs('>=', 20), idIs('<', 40))
      expect(await table.overwrite(part, { where })).toMatchObject({ status: 'committed' })
      await lake.expectRows(
        table,
        `${rowsSql(0)} UNION ALL ${rowsSql(20, 3)} UNION ALL ${rowsSql(40)}`,
      )
      await expect(table.overwrite(part, { where: idIs('<', 21) })).rejects.toMatchObject({
        code: 'TABLE_MISMATCH',
      })
      await table.overwrite(part)
      await lake.expectRows(table, rowsSql(20, 3))
    })
  })

  describe('partitions', () => {
    const one = (g: string | null, from: number) =>
      `SELECT ${from}::BIGINT AS id, ${g === null ? 'NULL::VARCHAR' : `'${g}'`} AS g, 1::DOUBLE AS v`

    test('are replaced as wholes, and only those that new rows belong to', async () => {
      const table = await filled({ partitionBy: ['g'] })
      const rows = `${one('g1', 100)} UNION ALL ${one(null, 101)} UNION ALL ${one('new', 102)}`
      const fresh = await lake.engine.relation(rows, COLUMNS)
      expect(await table.overwrite(fresh, { where: 'same_partitions' })).toMatchObject({
        status: 'committed',
        metrics: { deletedRowCount: 24, insertedRowCount: 3, scannedFileCount: 0 },
      })
      await lake.expectRows(
        table,
        `SELECT * FROM (${all}) WHERE g IN ('g0', 'g2') UNION ALL ${rows}`,
      )
      const none = await lake.engine.relation(`SELECT * FROM (${rows}) WHERE false`, COLUMNS)
      expect(await table.overwrite(none, { where: 'same_partitions' })).toMatchObject({
        status: 'unchanged',
      })
    })

    test('that others add to meanwhile are a conflict; other partitions are not', async () => {
      for (const [g, status] of [
        ['g0', 'committed'],
        ['g1', 'conflict'],
      ] as const) {
        const table = await filled({ partitionBy: ['g'] })
        const rival = await lake.again(table)
        const slow = await lake.again(table, undefined, () =>
          lake.append(rival, one(g, 200), COLUMNS),
        )
        const fresh = await lake.engine.relation(one('g1', 100), COLUMNS)
        const outcome = await slow.overwrite(fresh, { where: 'same_partitions' })
        expect(outcome.status).toBe(status)
      }
    })
  })

  describe('a merge', () => {
    test('says when several source rows want one row, unless all want it gone', async () => {
      const table = await filled()
      const source = await lake.engine.relation(
        `SELECT 3::BIGINT AS id, 'x' AS g, range::DOUBLE AS v FROM range(2)`,
        COLUMNS,
      )
      const on = { keys: ['id'] }
      await expect(
        table.merge({ source, on, clauses: [{ when: 'matched', do: 'update' }] }),
      ).rejects.toMatchObject({ code: 'MERGE_AMBIGUOUS', rowCount: 1 })
      const one = { when: 'matched', condition: sql('source.v = 1'), do: 'update' } as const
      expect(await table.merge({ source, on, clauses: [one] })).toMatchObject({
        status: 'committed',
      })
      expect(
        await table.merge({ source, on, clauses: [{ when: 'matched', do: 'delete' }] }),
      ).toMatchObject({ status: 'committed', metrics: { deletedRowCount: 1 } })
    })

    test('that only inserts adds files and touches none', async () => {
      const table = await filled()
      const source = await lake.engine.relation(rowsSql(50, 20), COLUMNS)
      expect(
        await table.merge({
          source,
          on: { keys: ['id'] },
          clauses: [{ when: 'not_matched', do: 'insert' }],
        }),
      ).toMatchObject({
        metrics: { insertedRowCount: 10, removedFileCount: 0, scannedFileCount: 1 },
      })
    })

    test('takes a condition over both sides', async () => {
      const table = await filled()
      const source = await lake.engine.relation(
        `SELECT 10::BIGINT AS low`,
        [COLUMNS[0]!].map((c) => ({ ...c, name: 'low' })),
      )
      await table.merge({
        source,
        on: { condition: sql('target.id < source.low') },
        clauses: [{ when: 'matched', do: 'delete' }],
      })
      await lake.expectRows(table, `SELECT * FROM (${all}) WHERE id >= 10`)
    })
  })

  describe('conflicts', () => {
    test('an append that could match spoils a delete; one that could not does not', async () => {
      for (const [from, status] of [
        [60, 'committed'],
        [20, 'conflict'],
      ] as const) {
        const table = await filled()
        const rival = await lake.again(table)
        // The rival commits between the delete's look and its commit.
        const slow = await lake.again(table, (port) => ({
          ...port,
          findEdits: async (...args: Parameters<typeof port.findEdits>) => {
            const found = await port.findEdits(...args)
            await lake.append(rival, rowsSql(from), COLUMNS)
            return found
          },
        }))
        const outcome = await slow.delete({ where: and(idIs('>=', 25), idIs('<', 30)) })
        expect(outcome.status).toBe(status)
        if (outcome.status === 'conflict') expect(outcome.reason).toBe('read_files_changed')
      }
    })
  })

  test('random statements leave what SQL says, in every mode', async () => {
    const statement = fc.record({
      kind: fc.constantFrom('delete', 'update', 'merge', 'append', 'overwrite'),
      low: fc.integer({ min: 0, max: 60 }),
      width: fc.integer({ min: 1, max: 30 }),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...kinds),
        fc.constantFrom(...moreProperties),
        fc.array(statement, { minLength: 1, maxLength: 6 }),
        async ({ options }, more, statements) => {
          const properties = { ...options.properties, ...more }
          const table = await filled({ ...options, properties })
          const { rows, relation } = lake.engine
          const model = (await relation(all, COLUMNS)).name
          for (const { kind, low, width } of statements) {
            const where = and(idIs('>=', low), idIs('<', low + width))
            const condition = predicateSql(where)
            const fresh = rowsSql(low, width)
            if (kind === 'delete') {
              await table.delete({ where })
              await rows(`DELETE FROM ${model} WHERE ${condition}`)
            } else if (kind === 'update') {
              await table.update({ where, set: { v: sql('-id') } })
              await rows(`UPDATE ${model} SET v = -id WHERE ${condition}`)
            } else if (kind === 'append') {
              await lake.append(table, fresh, COLUMNS)
              await rows(`INSERT INTO ${model} ${fresh}`)
            } else if (kind === 'overwrite') {
              await table.overwrite(await relation(fresh, COLUMNS), { where })
              await rows(`DELETE FROM ${model} WHERE ${condition}`)
              await rows(`INSERT INTO ${model} ${fresh}`)
            } else {
              await table.merge({
                source: await relation(fresh, COLUMNS),
                on: { keys: ['id'] },
                clauses: [
                  { when: 'matched', condition: sql('target.id % 3 = 0'), do: 'delete' },
                  { when: 'matched', do: 'update' },
                  { when: 'not_matched', do: 'insert' },
                ],
              })
              await rows(
                `CREATE OR REPLACE TABLE ${model} AS SELECT t.id, CASE WHEN s.id IS NULL THEN t.g ELSE s.g END AS g,
               CASE WHEN s.id IS NULL THEN t.v ELSE s.v END AS v FROM ${model} t LEFT JOIN (${fresh}) s ON s.id = t.id
               WHERE s.id IS NULL OR t.id % 3 <> 0
               UNION ALL SELECT * FROM (${fresh}) WHERE id NOT IN (SELECT id FROM ${model})`,
              )
            }
            await lake.expectRows(table, `SELECT * FROM ${model}`)
          }
          // What a fresh reader finds.
          await lake.expectRows(await lake.again(table), `SELECT * FROM ${model}`)
        },
      ),
      { numRuns: 12 },
    )
  }, 60_000)
}

/** Ports with which something happens between the files and the commit. */
export function withInterruption<P extends { tableRows: RowsPort; stageFiles: StageFilesPort }>(
  ports: P,
  rows: (port: RowsPort) => RowsPort = (port) => port,
  staged?: () => Promise<unknown>,
): P {
  let isDue = staged !== undefined
  return {
    ...ports,
    tableRows: rows(ports.tableRows),
    stageFiles: {
      stageFiles: async (...args: Parameters<StageFilesPort['stageFiles']>) => {
        const files = await ports.stageFiles.stageFiles(...args)
        if (isDue) {
          isDue = false
          await staged!()
        }
        return files
      },
    },
  }
}
