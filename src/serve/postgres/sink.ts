// PostgreSQL as a serving store.
//
// In:   the rows of a micro-batch (`RowSet`) and the ranges of the log they came from.
// Out:  rows in one table, written by COPY, and the consumer's line in `mekong.cursors`, moved in the same transaction.
//       Rows that the table refuses (too long, out of range, a constraint) come back by index; the others stand.
// Survives a crash: everything committed. A crash anywhere before COMMIT leaves nothing; after it, rows and cursor are both
//       there. When the answer to COMMIT is lost, the outcome is `unknown` and the cursor tells.
// Two writers on one consumer: the cursor moves only from where the ranges start, so the second gets `conflict`.
// The doorway calls one method at a time and owns retries; a lost connection is opened again by the next call.

import type { Columns } from '../../model/column.ts'
import type { ConsumedRange, Cursor } from '../../model/consumed.ts'
import { assert } from '../../model/errors.ts'
import type { RejectedRow, RowSet, Sink, SinkCommitOutcome, StagedRows } from '../sink.ts'
import { connect, type PostgresConnection } from './client.ts'
import { type PostgresConfig, postgresName } from './config.ts'
import { beginWrite, copyRows, mergeRanges, moveCursor, readCursor } from './encode.ts'
import { commitIsUnknown, sinkError } from './errors.ts'
import { type Migration, migrate } from './migrations.ts'
import { assertTableTakes, readTableColumns } from './table.ts'
import { writeRows } from './write-rows.ts'

export interface PostgresTarget {
  /** `user_events` or `schema.user_events`. */
  readonly table: string
  /** What the sink writes, in the order of the row sets. Columns with a default may be left out. */
  readonly columns: Columns
  readonly migrations: readonly Migration[]
}

/** A sink that writes into one table of one server. Nothing is opened before `open`. */
export function postgresSink(config: PostgresConfig, target: PostgresTarget): Sink {
  return new PostgresSink(config, target)
}

class PostgresSink implements Sink {
  readonly #config: PostgresConfig
  readonly #target: PostgresTarget
  /** The server and the table, for messages. */
  readonly #where: string
  #connection: PostgresConnection | null = null
  #staging = false

  constructor(config: PostgresConfig, target: PostgresTarget) {
    this.#config = config
    this.#target = target
    this.#where = `${target.table} in ${postgresName(config)}`
  }

  async open(signal?: AbortSignal): Promise<void> {
    const { table, columns, migrations } = this.#target
    await migrate(this.#config, table, migrations, signal)
    await this.#during(`look at ${this.#where}`, signal, async (connection) => {
      const actual = await readTableColumns(connection, table)
      assertTableTakes(table, postgresName(this.#config), columns, actual)
    })
  }

  async check(signal?: AbortSignal): Promise<void> {
    await this.#during(`write to ${this.#where} for a check`, signal, async (connection) => {
      await connection.run(beginWrite(this.#config))
      const nothing = (async function* () {})()
      await connection.copyIn(copyRows(this.#target.table, this.#target.columns), nothing)
      const range = { topic: 'check', partition: 0, offsetStart: 0, offsetEnd: 0 }
      const { text, values } = moveCursor('mekong doctor', [
        { ...range, read: 0, rows: 0, dead: 0, filtered: 0 },
      ])
      await connection.run(text, values)
      await connection.run('ROLLBACK')
    })
  }

  async cursor(consumer: string): Promise<Cursor> {
    const attempt = `read the cursor of ${consumer} in ${postgresName(this.#config)}`
    return await this.#during(attempt, undefined, (connection) => cursorOf(connection, consumer))
  }

  async stage(rows: RowSet, signal?: AbortSignal): Promise<StagedRows> {
    assert(!this.#staging, 'one batch at a time is staged in a sink')
    return await this.#during(`write to ${this.#where}`, signal, async (connection) => {
      await connection.run(`${beginWrite(this.#config)}; SAVEPOINT batch`)
      const { table } = this.#target
      const rejected = await writeRows(connection, { table, rows, savepoint: 'batch' }, signal)
      this.#staging = true
      return this.#stagedRows(connection, rejected)
    })
  }

  async close(): Promise<void> {
    this.#staging = false
    await this.#connection?.close()
    this.#connection = null
  }

  #stagedRows(connection: PostgresConnection, rejected: readonly RejectedRow[]): StagedRows {
    let settled = false
    const settle = () => {
      settled = true
      this.#staging = false
    }
    return {
      rejected,
      commit: async (consumer, ranges) => {
        assert(!settled, 'a staged batch is committed or aborted once')
        settle()
        return await this.#commit(connection, consumer, ranges)
      },
      abort: async () => {
        if (settled) return
        settle()
        await rollBack(connection)
      },
    }
  }

  async #commit(
    connection: PostgresConnection,
    consumer: string,
    ranges: readonly ConsumedRange[],
  ): Promise<SinkCommitOutcome> {
    const merged = mergeRanges(ranges)
    try {
      const { text, values } = moveCursor(consumer, merged)
      const moved = await connection.run(text, values)
      if (moved.rowCount !== merged.length) {
        await rollBack(connection)
        return { status: 'conflict', reason: conflictReason(consumer, merged) }
      }
    } catch (error) {
      await rollBack(connection)
      throw sinkError(`move the cursor of ${consumer} in ${postgresName(this.#config)}`, error)
    }
    try {
      const { command } = await connection.run('COMMIT')
      assert(command === 'COMMIT', 'a transaction without an error commits')
      return { status: 'committed' }
    } catch (error) {
      if (connection.lost || commitIsUnknown(error)) {
        connection.destroy()
        const reason = `The connection to ${postgresName(this.#config)} broke while COMMIT was on its way; the cursor of ${consumer} tells whether it arrived.`
        return { status: 'unknown', reason }
      }
      throw sinkError(`commit to ${this.#where}`, error)
    }
  }

  /** Do `work` on a connection that is there. When it fails, roll back what it began, and name what was attempted. */
  async #during<T>(
    attempt: string,
    signal: AbortSignal | undefined,
    work: (connection: PostgresConnection) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted()
    if (this.#connection === null || this.#connection.lost)
      this.#connection = await connect(this.#config, signal)
    const connection = this.#connection
    const aborted = () => connection.destroy()
    signal?.addEventListener('abort', aborted, { once: true })
    try {
      return await work(connection)
    } catch (error) {
      signal?.throwIfAborted()
      await rollBack(connection)
      throw sinkError(attempt, error)
    } finally {
      signal?.removeEventListener('abort', aborted)
    }
  }
}

/** Leave no transaction open: by saying so, or by hanging up. Never throws. */
async function rollBack(connection: PostgresConnection): Promise<void> {
  if (connection.lost) return
  await connection.run('ROLLBACK').catch(() => connection.destroy())
}

async function cursorOf(connection: PostgresConnection, consumer: string): Promise<Cursor> {
  const { text, values } = readCursor(consumer)
  const { rows } = await connection.run(text, values)
  return rows.map(([topic, partition, offset, rowCount, dead, filtered]) => ({
    topic: topic!,
    partition: Number(partition),
    offset: Number(offset),
    rows: Number(rowCount),
    dead: Number(dead),
    filtered: Number(filtered),
  }))
}

function conflictReason(consumer: string, ranges: readonly ConsumedRange[]): string {
  const starts = ranges.map((r) => `${r.topic}/${r.partition} at ${r.offsetStart}`).join(', ')
  return `The cursor of ${consumer} does not stand where the batch starts (${starts}): another writer has moved it. Nothing was written.`
}
