import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readLog } from '../../../src/lake/delta/log-read.ts'
import { type DeltaSnapshot, snapshotOf } from '../../../src/lake/delta/snapshot.ts'
import type { ObjectStore } from '../../../src/model/object-store.ts'
import { scanSql } from '../../../src/sql/duckdb/scan.ts'
import { openLocalStore } from '../../../src/storage/local.ts'
import { unpackTarZst } from '../archive.ts'
import { openTestEngine, type TestEngine } from '../duckdb-ports.ts'
import exceptions from './golden-exceptions.json' with { type: 'json' }

// Tables that Spark and other programs wrote, with the rows that a right reader returns, as multisets, types and
// column order included. Those without rows exercise the log alone: what we make of each is written down here.
// `golden-exceptions.json` maps the name of a table that we do not read right to the reason.

const GOLDENS = path.resolve(import.meta.dirname, '../../../../shared/goldens/delta')

/** Broken on purpose: table → code of the error, and a part of its message. */
const REFUSED: Readonly<Record<string, readonly [code: string, message: RegExp]>> = {
  // Its first commit has a protocol and an add, and no metaData.
  'data-reader-absolute-paths-escaped-chars': ['TABLE_BROKEN', /no metaData/],
  'deltalog-invalid-protocol-version': ['TABLE_UNSUPPORTED', /reader version 99/],
  'deltalog-state-reconstruction-from-checkpoint-missing-metadata': ['TABLE_BROKEN', /no metaData/],
  'deltalog-state-reconstruction-from-checkpoint-missing-protocol': ['TABLE_BROKEN', /no protocol/],
  'deltalog-state-reconstruction-without-metadata': ['TABLE_BROKEN', /no metaData/],
  'deltalog-state-reconstruction-without-protocol': ['TABLE_BROKEN', /no protocol/],
  'no-delta-log-folder': ['TABLE_MISSING', /no Delta table/],
  'versions-not-contiguous': ['TABLE_BROKEN', /version 1 is missing/],
}

/** Logs without readable data files: table → version and live files, by path and modification time. */
const LOG_ALONE: Readonly<Record<string, readonly [version: number, files: readonly string[]]>> = {
  // The removal spells the path of the addition in another way.
  'canonicalized-paths-special-b': [1, []],
  checkpoint: [14, ['15 1']],
  'delete-re-add-same-file-different-transactions': [3, ['bar 1697064972263', 'foo 1700000000000']],
  'deltalog-commit-info': [0, ['abc 1']],
  'log-replay-special-characters-b': [0, ['special p@#h 10']],
  'update-deleted-directory': [
    0,
    ['1', '10', '2', '3', '4', '5', '6', '7', '8', '9'].map((p) => `${p} 1`),
  ],
}

/** `hive` holds tables in folders of its own, without expected rows: table → number of rows. */
const HIVE: Readonly<Record<string, number>> = {
  'deltatbl-column-names-case-insensitive': 10,
  'deltatbl-deleted-path': 10,
  'deltatbl-incorrect-format-config': 10,
  'deltatbl-map-types-correctly': 1,
  'deltatbl-non-partitioned': 10,
  'deltatbl-not-allow-write': 10,
  'deltatbl-partition-prune': 5,
  'deltatbl-partitioned': 10,
  'deltatbl-schema-match': 10,
  'deltatbl-special-chars-in-partition-column': 10,
  'deltatbl-touch-files-needed-for-partitioned': 10,
}

const archives = existsSync(GOLDENS)
  ? readdirSync(GOLDENS).filter((name) => name.endsWith('.tar.zst'))
  : []
const names = archives.map((name) => name.slice(0, -'.tar.zst'.length))
if (names.length === 0) console.log(`Golden Delta tables skipped: ${GOLDENS} is not there.`)

describe.skipIf(names.length === 0)('golden Delta tables', () => {
  let folder: string
  let store: ObjectStore
  let engine: TestEngine

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'mekong-goldens-'))
    for (const name of archives) await unpackTarZst(path.join(GOLDENS, name), folder)
    store = await openLocalStore({ folder })
    engine = await openTestEngine()
  })
  afterAll(async () => {
    engine?.close()
    await rm(folder, { recursive: true, force: true })
  })

  const read = async (tableKey: string): Promise<DeltaSnapshot> => {
    const reader = { store, parquet: engine.parquet, tableKey }
    return snapshotOf(reader, await readLog(reader))
  }
  const describeSql = async (sql: string) =>
    (await engine.rows(`DESCRIBE ${sql}`)).map((row) => `${row.column_name} ${row.column_type}`)

  test.for(names)('%s', async (name) => {
    const attempt = checkTable(name)
    if (!(name in exceptions)) return attempt
    await expect(attempt, `${name} now works: take it off the exceptions`).rejects.toThrow()
  })

  async function checkTable(name: string): Promise<void> {
    const refusal = REFUSED[name]
    if (refusal !== undefined) {
      const [code, message] = refusal
      await expect(read(`${name}/delta`)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
      })
    } else if (LOG_ALONE[name] !== undefined) {
      const snapshot = await read(`${name}/delta`)
      const files = [...snapshot.files()].map((file) => `${file.path} ${file.modifiedMs}`)
      expect([snapshot.version, files.toSorted()]).toEqual(LOG_ALONE[name])
    } else if (name === 'hive') await checkHive()
    else await compareRows(name)
  }

  async function compareRows(name: string): Promise<void> {
    const snapshot = await read(`${name}/delta`)
    const ours = scanSql(await snapshot.plan())
    const expected = `SELECT * FROM read_parquet('${folder}/${name}/expected/*.parquet')`
    expect(await describeSql(ours)).toEqual(await describeSql(expected))
    const [{ missing, extra, count }] = (await engine.rows(
      `SELECT (SELECT count(*) FROM (${expected} EXCEPT ALL ${ours}))::INTEGER AS missing,
        (SELECT count(*) FROM (${ours} EXCEPT ALL ${expected}))::INTEGER AS extra,
        (SELECT count(*) FROM (${ours}))::INTEGER AS count`,
    )) as [{ missing: number; extra: number; count: number }]
    expect({ missing, extra }).toEqual({ missing: 0, extra: 0 })
    expect([undefined, count]).toContain(await snapshot.rowCount())
  }

  async function checkHive(): Promise<void> {
    const found: Record<string, number> = {}
    for (const table of readdirSync(path.join(folder, 'hive/delta'))) {
      const snapshot = await read(`hive/delta/${table}`)
      const count = `SELECT count(*)::INTEGER AS n FROM (${scanSql(await snapshot.plan())})`
      found[table] = (await engine.rows(count))[0]!.n as number
    }
    expect(found).toEqual(HIVE)
  }
})
