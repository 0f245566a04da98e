import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDeltaTable } from '../../src/lake/delta/create.ts'
import { openDeltaTable } from '../../src/lake/delta/table.ts'
import { openIcebergTable } from '../../src/lake/iceberg/table.ts'
import type { ColumnType } from '../../src/model/column.ts'
import { quoteIdentifier, quoteText } from '../../src/sql/duckdb/quote-identifier.ts'
import {
  clickHouseAppend,
  clickHouseIdentifier,
  clickHousePartitions,
  clickHouseSteps,
  conditionSql,
  createWith,
  DAY,
} from './clickhouse-steps.ts'
import { type Judge, openJudge } from './judge.ts'
import { steps } from './our-delta-steps.ts'
import { runSteps, tableShape } from './our-delta-table.ts'
import { icebergSteps } from './our-iceberg-steps.ts'
import { icebergShape, runIcebergSteps } from './our-iceberg-table.ts'
import { ourStatements } from './our-statements.ts'
import { type ColumnChoice, columns } from './random-columns.ts'
import { conditionChoice } from './random-condition.ts'
import { RANDOM_TIMEOUT_MS, runRandomly } from './random-runs.ts'
import { expectReadAlike, type OtherReader } from './read-by-others.ts'
import {
  expectMostlyDone,
  followSteps,
  isDone,
  type Tally,
  type TheirEngine,
  type TheirTable,
  theirTable,
} from './their-table.ts'
import { openWorkshop, type Workshop } from './workshop.ts'

// Both ways with ClickHouse, as chDB. It has no null lists, maps and structs, and its time begins in 1900 and ends in 2299.

const FLAT = {
  isFlat: true,
  without: ['date', 'timestamp', 'timestamp_ntz'],
} satisfies ColumnChoice
const ICEBERG = { ...FLAT, without: [...FLAT.without, 'int8', 'int16'] } satisfies ColumnChoice

/** It reads such a partition value of Delta with the words of its number swapped. */
const isWideDecimal = (type: ColumnType) =>
  typeof type !== 'string' && type.kind === 'decimal' && type.precision > 18
const deltaShape = tableShape(FLAT).filter(
  ({ columns: of, partitionBy }) =>
    !of.some(({ name, type }) => partitionBy.includes(name) && isWideDecimal(type)),
)
/** It writes no partition that is null, and to no table whose columns are mapped or may widen. */
const writableDelta = tableShape({
  ...FLAT,
  withoutProperties: ['delta.columnMapping.mode', 'delta.enableTypeWidening'],
}).map((shape) => ({ ...shape, partitionBy: [] }))

/** It cuts decimals by a division that overflows, whatever the condition asks for. */
const icebergTable = icebergShape(ICEBERG).filter(({ columns: of, partitionBy }) =>
  partitionBy.every(
    ({ column, transform }) =>
      !transform.startsWith('truncate') ||
      of.every(({ name, type }) => name !== column || typeof type === 'string'),
  ),
)

const judge = await openJudge('clickhouse')

describe.skipIf('skip' in judge)('ClickHouse', () => {
  const clickHouse = judge as Judge
  let workshop: Workshop
  let tableCount = 0
  beforeAll(async () => {
    workshop = await openWorkshop()
  })
  afterAll(async () => {
    await clickHouse.close()
    await workshop?.close()
  })

  const readerOf = (from: 'deltaLakeLocal' | 'icebergLocal'): OtherReader => ({
    name: 'ClickHouse',
    // Its NaN is neither above nor below anything; a dot goes into a struct; Delta's kernel in it compares bytes with text.
    agreesOn: ({ column: { name, type } }) =>
      ['boolean', 'int8', 'int16', 'int32', 'int64', 'string'].includes(type as string) &&
      !name.includes('.'),
    async read({ location, versions, expected }, out, { version, condition }) {
      const rows = version === undefined ? expected : versions.get(version)!
      const described = await workshop.sql(`DESCRIBE ${rows}`)
      const bytes = described.filter(({ column_type: type }) => type === 'BLOB')
      const where = condition === undefined ? '' : ` WHERE ${conditionSql(condition)}`
      const setting =
        from === 'deltaLakeLocal' ? 'delta_lake_snapshot_version' : 'iceberg_snapshot_id'
      const then = version === undefined ? '' : ` SETTINGS ${setting} = ${version}`
      await readRows(
        `(SELECT * FROM ${from}('${path.join(workshop.folder, location)}/')${where}${then})`,
        bytes.map(({ column_name: name }) => String(name)),
        out,
      )
    },
  })

  /** Text and bytes are one type to ClickHouse, so that the columns `ofBytes` go by hexadecimal text. */
  async function readRows(from: string, ofBytes: readonly string[], out: string): Promise<void> {
    const replaced = (by: string, quoted: (name: string) => string) => {
      const cells = ofBytes.map(quoted).map((name) => `${by}(${name}) AS ${name}`)
      return cells.length === 0 ? '*' : `* REPLACE (${cells.join(', ')})`
    }
    const raw = workshop.newFile()
    const texts = replaced('hex', clickHouseIdentifier)
    await clickHouse.ask('query', { sql: `SELECT ${texts} FROM ${from}`, out: raw })
    const bytes = `SELECT ${replaced('unhex', quoteIdentifier)} FROM ${quoteText(raw)}`
    await workshop.sql(`COPY (${bytes}) TO ${quoteText(out)} (FORMAT parquet)`)
  }

  const conditions = fc.array(conditionChoice, { minLength: 1, maxLength: 3 })

  test(
    'reads the Delta tables that we write',
    async () => {
      await runRandomly(
        { name: 'ClickHouse reads our Delta tables', runs: 6 },
        [deltaShape, steps, conditions],
        async (shape, todo, choices) => {
          const at = await runSteps(workshop, `ours-${++tableCount}`, shape, todo)
          await expectReadAlike(at, readerOf('deltaLakeLocal'), choices)
        },
      )
    },
    RANDOM_TIMEOUT_MS,
  )

  test(
    'reads the Iceberg tables that we write',
    async () => {
      await runRandomly(
        { name: 'ClickHouse reads our Iceberg tables', runs: 6 },
        [icebergTable, icebergSteps, conditions],
        async (shape, todo, choices) => {
          const at = await runIcebergSteps(workshop, `db/ours${++tableCount}`, shape, todo)
          await expectReadAlike(at, readerOf('icebergLocal'), choices)
        },
      )
    },
    RANDOM_TIMEOUT_MS,
  )

  test(
    'writes Iceberg tables that we read',
    async () => {
      const tally: Tally = {}
      const engine: TheirEngine = {
        name: 'ClickHouse',
        judge: clickHouse,
        open: ({ key }) => openIcebergTable(workshop.deps, key),
        read: ({ key }, out) =>
          clickHouse.ask('query', {
            sql: `SELECT * FROM ${clickHouseIdentifier(path.basename(key))}`,
            out,
          }),
      }
      const writable = columns({
        ...ICEBERG,
        without: [...ICEBERG.without, 'boolean', 'binary'],
      }).filter((of) => of.every(({ type }) => typeof type === 'string'))
      await runRandomly(
        { name: 'ClickHouse writes Iceberg tables', runs: 8 },
        [writable, clickHousePartitions, clickHouseSteps, conditions],
        async (of, partitions, todo, choices) => {
          const key = `db/theirs${++tableCount}`
          const at = theirTable(workshop, clickHouse, {
            key,
            columns: [...of, DAY],
            partitionBy: [],
          })
          if (!(await isDone(tally, createWith(partitions), at))) return
          await followSteps(at, engine, { steps: todo, conditions: choices, tally })
        },
      )
      expectMostlyDone(tally)
    },
    RANDOM_TIMEOUT_MS,
  )

  test(
    'appends to Delta tables that we change',
    async () => {
      const tally: Tally = {}
      const open = ({ key }: TheirTable) => openDeltaTable(workshop.deps, key)
      const engine: TheirEngine = {
        name: 'ClickHouse',
        judge: clickHouse,
        open,
        read: ({ location, columns: of }, out) => {
          const bytes = of.filter(({ type }) => type === 'binary').map(({ name }) => name)
          return readRows(`deltaLakeLocal('${location}/')`, bytes, out)
        },
      }
      const todo = fc
        .array(fc.oneof(clickHouseAppend, ourStatements(open)), { minLength: 2, maxLength: 7 })
        .chain((others) => clickHouseAppend.map((first) => [first, ...others]))
      await runRandomly(
        { name: 'ClickHouse appends to our Delta tables', runs: 6 },
        [writableDelta, todo, conditions],
        async (shape, steps, choices) => {
          const key = `both${++tableCount}`
          expect(await createDeltaTable(workshop.deps, key, shape)).toEqual({ status: 'created' })
          const at = theirTable(workshop, clickHouse, { key, ...shape })
          await followSteps(at, engine, { steps, conditions: choices, tally })
        },
      )
      expect(tally.insert!.refused).toBe(0)
      expectMostlyDone(tally)
    },
    RANDOM_TIMEOUT_MS,
  )
})
