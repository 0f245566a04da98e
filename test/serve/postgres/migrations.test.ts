import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SinkConfigError } from '../../../src/serve/errors.ts'
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../src/serve/postgres/embedded.ts'
import { migrate } from '../../../src/serve/postgres/migrations.ts'
import { queryPostgres } from '../../../src/serve/postgres/query.ts'
import { postgresSink } from '../../../src/serve/postgres/sink.ts'

let folder: string
let embedded: EmbeddedPostgres
beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-postgres-'))
  embedded = await startEmbeddedPostgres({ folder, port: 0 })
})
afterAll(async () => {
  await embedded.close()
  rmSync(folder, { recursive: true })
})

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => error,
  )

describe('migrations', () => {
  const one = { name: '001_a.sql', sql: 'CREATE TABLE a (n int);\nCREATE INDEX ON a (n);' }
  const two = { name: '002_b.sql', sql: 'ALTER TABLE a ADD word text' }

  test('run once each, in order, also when one is added later', async () => {
    const apply = (...list: (typeof one)[]) => migrate(embedded.config, 'a', list)
    expect(await apply(one)).toEqual(['001_a.sql'])
    expect(await apply(one, two)).toEqual(['002_b.sql'])
    expect(await apply(one, { ...two, sql: two.sql.replaceAll('\n', '\r\n') })).toEqual([])
  })

  test('one that changed after it was applied is an error that says what to do', async () => {
    const changed = { ...one, sql: `${one.sql} -- better` }
    const failure = await failureOf(migrate(embedded.config, 'a', [changed, two]))
    expect(failure).toBeInstanceOf(SinkConfigError)
    expect(String(failure)).toMatch(/001_a\.sql.*restore the file.*next number/s)
  })

  test('one that fails leaves nothing of itself and stops those after it', async () => {
    const half = {
      name: '001.sql',
      sql: 'CREATE TABLE half (n int); CREATE TABLE nonsense (n intt)',
    }
    const after = { name: '002.sql', sql: 'CREATE TABLE after_half (n int)' }
    const failure = await failureOf(migrate(embedded.config, 'half', [half, after]))
    expect(failure).toBeInstanceOf(SinkConfigError)
    expect(String(failure)).toContain('001.sql')
    const { rows } = await queryPostgres(embedded.config, {
      sql: "SELECT count(*) FROM pg_tables WHERE tablename IN ('half', 'after_half')",
    })
    expect(rows).toEqual([[0n]])
  })

  test('a table that nobody created is named', async () => {
    const sink = postgresSink(embedded.config, {
      table: 'nowhere',
      columns: [{ name: 'n', type: 'int32', nullable: false }],
      migrations: [],
    })
    const failure = await failureOf(sink.open())
    await sink.close()
    expect(failure).toBeInstanceOf(SinkConfigError)
    expect(String(failure)).toContain('no table nowhere')
  })
})
