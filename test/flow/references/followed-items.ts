import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { type FollowedReference, followReference } from '../../../src/flow/follow-reference.ts'
import { openLakeHome, tableKey } from '../../../src/flow/lake-home.ts'
import { referenceGate } from '../../../src/flow/reference-gate.ts'
import { decimal, int32, optional, record, text } from '../../../src/index.ts'
import { openDeltaTable } from '../../../src/lake/delta/table.ts'
import { systemClock, systemRandomness } from '../../../src/model/clock.ts'
import type { FollowWay } from '../../../src/pipeline/plan.ts'
import { referencePlan } from '../../../src/pipeline/reference.ts'
import { postgresConfig, secret } from '../../../src/serve/postgres/config.ts'
import { openComputeEngine } from '../../../src/sql/duckdb/engine.ts'
import { openReferenceStore } from '../../../src/sql/duckdb/reference-store.ts'
import { scanSql } from '../../../src/sql/duckdb/scan.ts'

export interface Version {
  readonly id: number
  readonly note: string | null
  readonly large: string | null
  readonly price: string
  readonly holds: boolean
}

/** The table `item` of a server, followed into a lake of its own. */
export interface FollowedItems {
  readonly reference: FollowedReference
  readonly notices: readonly string[]
  /** Of the lake: by key and begin. */
  versions(): Promise<readonly Version[]>
  /** Of the engine, as joins see them. */
  joined(): Promise<readonly Version[]>
  /** Commits in the lake's table that brought rows. */
  stop(): Promise<void>
}

export async function followItems(options: {
  readonly folder: string
  readonly variables: Readonly<Record<string, string>>
  readonly follow?: FollowWay
}): Promise<FollowedItems> {
  const { folder, variables, follow = 'automatic' } = options
  const engine = await openComputeEngine({
    spillDirectory: path.join(folder, 'spill'),
    memoryLimitBytes: 256 * 1024 * 1024,
    threads: 1,
  })
  const clock = systemClock
  const lake = await openLakeHome({
    ...{ folder: path.join(folder, 'lake'), engine, clock, randomness: systemRandomness },
  })
  const plan = referencePlan('items', {
    ...{ table: 'item', key: 'id', history: 'silver.items', follow, pollIntervalMs: 200 },
    columns: record({
      id: int32(),
      note: optional(text()),
      large: optional(text()),
      price: decimal(18, 4),
    }),
    migrations: pathToFileURL(path.join(import.meta.dirname, 'migrations/')),
  })
  const store = await openReferenceStore(engine)
  const table = await store.table({ name: 'items', key: 'id', columns: plan.columns })
  const notices: string[] = []
  const reference = followReference({
    ...{ pipeline: 'shop', plan, lake: lake.delta, engine, table, gate: referenceGate(), clock },
    postgres: postgresConfig({
      host: variables.POSTGRES_HOST!,
      port: Number(variables.POSTGRES_PORT),
      database: variables.POSTGRES_DB!,
      user: variables.POSTGRES_USER!,
      password: secret(variables.POSTGRES_PASSWORD!),
    }),
    amend: async () => 0,
    onNotice: (line) => notices.push(line),
  })
  const rows = async (relation: string, open: string): Promise<Version[]> => {
    const connection = await engine.connection()
    try {
      const found = await connection.rows(
        `SELECT id, note, large, price::VARCHAR, valid_to IS NOT DISTINCT FROM ${open} FROM ${relation} ORDER BY id, valid_from`,
      )
      return found.map(
        ([id, note, large, price, holds]) => ({ id, note, large, price, holds }) as Version,
      )
    } finally {
      connection.close()
    }
  }
  return {
    reference,
    notices,
    async versions() {
      const history = await openDeltaTable(lake.delta, tableKey('silver.items'))
      return rows(`(${scanSql(await (await history.snapshot()).plan())})`, 'NULL')
    },
    joined: () => rows(table.relation, `'infinity'::TIMESTAMPTZ`),
    async stop() {
      await reference.stop()
      lake.close()
      engine.close()
    },
  }
}
