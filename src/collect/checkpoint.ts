import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import type { CollectItem, CollectList, CollectRequest, ListedItem } from '../model/collect.ts'
import { CollectorBusyError } from './errors.ts'

// What a collector remembers, in one SQLite file of its own.
//
//   marks    how far lists were read
//   work     items that are listed and not collected yet
//   outbox   what was fetched and may not have gone through the front door yet
//   known    a digest of what went through last, for each item
//   files    how many bytes of each file of JSON lines are whole
//
// In: items, then what they turned out to be. Out: the next items, and after a crash what was fetched and not confirmed. Every method that
// writes is one transaction that outlives the process, so a kill loses nothing that was fetched and sends nothing under two names. When the machine
// itself goes, the last transactions may be gone together; then their items are fetched again, which is harmless.

const LAYOUT = `
CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS work (
  way TEXT NOT NULL, type TEXT NOT NULL, key TEXT NOT NULL, rank REAL NOT NULL, note TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, tried_run INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (way, type, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS work_by_rank ON work (way, rank DESC);
CREATE TABLE IF NOT EXISTS outbox (
  id INTEGER PRIMARY KEY, type TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL, events TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS known (
  type TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (type, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;`

/** Primary result code, https://www.sqlite.org/rescode.html */
const SQLITE_BUSY = 5

export interface OutboxEntry {
  readonly id: number
  readonly type: string
  readonly key: string
  /** Of what makes the item the same as last time. */
  readonly digest: string
  /** JSON of the item's events. */
  readonly events: string
}

type Way = CollectRequest['way']

/** Items of a run: one way, some types, each tried once in a run. */
export interface WorkQuestion {
  readonly way: Way
  readonly types: readonly string[]
  readonly run: number
}

export class Checkpoint {
  readonly #db: DatabaseSync

  /** @throws CollectorBusyError when another process has it open */
  constructor(file: string) {
    mkdirSync(path.dirname(file), { recursive: true })
    this.#db = new DatabaseSync(file, { timeout: 0 })
    try {
      this.#db.exec(
        `PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE; ${LAYOUT} COMMIT`,
      )
    } catch (cause) {
      this.#db.close()
      if ((Number((cause as { errcode?: unknown }).errcode) & 0xff) !== SQLITE_BUSY) throw cause
      throw new CollectorBusyError(
        `${file} is in use: another process collects for this pipeline. Nothing was asked. Wait for it, or stop it.`,
        { cause },
      )
    }
  }

  marks(): ReadonlyMap<string, string> {
    const rows = this.#all('SELECT name, value FROM marks')
    return new Map(rows.map(({ name, value }) => [String(name), String(value)]))
  }

  forgetMark(name: string): void {
    this.#run('DELETE FROM marks WHERE name = ?', name)
  }

  /** Read a list into the work, all or nothing. Returns how many items it added. */
  async take(way: Way, { type, mark, onlyUnknown, items }: CollectList): Promise<number> {
    const insert = this.#db.prepare(
      `INSERT INTO work (way, type, key, rank, note) SELECT ?, ?, ?, ?, ?
       ${onlyUnknown ? 'WHERE NOT EXISTS (SELECT 1 FROM known WHERE type = ?2 AND key = ?3)' : 'WHERE true'}
       ON CONFLICT (way, type, key) DO NOTHING`,
    )
    let added = 0
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      for await (const page of items()) {
        for (const { key, rank = 0, note = '' } of page)
          added += Number(insert.run(way, type, key, rank, note).changes)
      }
      this.#run('INSERT OR REPLACE INTO marks VALUES (?, ?)', mark.name, mark.value)
      this.#db.exec('COMMIT')
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
    return added
  }

  /** The next items by rank that this run has not tried. */
  next({ way, types, run }: WorkQuestion, count: number): readonly ListedItem[] {
    return this.#all(
      `SELECT type, key, rank, note, EXISTS (SELECT 1 FROM known k WHERE k.type = w.type AND k.key = w.key) AS known FROM work w
       WHERE way = ? AND tried_run <> ? AND type IN (SELECT value FROM json_each(?)) ORDER BY rank DESC LIMIT ?`,
      ...[way, run, JSON.stringify(types), count],
    ).map(({ type, key, rank, note, known }) => ({
      ...{ type: String(type), key: String(key), rank: Number(rank), note: String(note) },
      isKnown: known === 1,
    }))
  }

  left({ way, types }: Omit<WorkQuestion, 'run'>): number {
    const [row] = this.#all(
      'SELECT count(*) AS count FROM work WHERE way = ? AND type IN (SELECT value FROM json_each(?))',
      ...[way, JSON.stringify(types)],
    )
    return Number(row!.count)
  }

  failed({ way, run }: WorkQuestion, { type, key }: CollectItem): void {
    this.#run(
      'UPDATE work SET attempts = attempts + 1, tried_run = ? WHERE way = ? AND type = ? AND key = ?',
      ...[run, way, type, key],
    )
  }

  /** The digest of what went through the front door last. */
  digestOf({ type, key }: CollectItem): string | undefined {
    const [row] = this.#all('SELECT digest FROM known WHERE type = ? AND key = ?', type, key)
    return row === undefined ? undefined : String(row.digest)
  }

  /** These items are fetched: out of the work, and what is to be sent of them into the outbox. */
  fetched(
    way: Way,
    items: readonly CollectItem[],
    entries: readonly Omit<OutboxEntry, 'id'>[],
  ): readonly OutboxEntry[] {
    return this.#transaction(() => {
      for (const { type, key } of items)
        this.#run('DELETE FROM work WHERE way = ? AND type = ? AND key = ?', way, type, key)
      const insert = this.#db.prepare(
        'INSERT INTO outbox (type, key, digest, events) VALUES (?, ?, ?, ?) RETURNING id',
      )
      return entries.map((entry) => {
        const { type, key, digest, events } = entry
        return { ...entry, id: Number(insert.get(type, key, digest, events)!.id) }
      })
    })
  }

  /** What was fetched and not confirmed, oldest first. */
  outbox(count: number): readonly OutboxEntry[] {
    return this.#all('SELECT * FROM outbox ORDER BY id LIMIT ?', count).map((row) => ({
      ...{ id: Number(row.id), type: String(row.type), key: String(row.key) },
      ...{ digest: String(row.digest), events: String(row.events) },
    }))
  }

  /** These went through the front door, and into files of these lengths. */
  delivered(entries: readonly OutboxEntry[], files: ReadonlyMap<string, number>): void {
    this.#transaction(() => {
      for (const { id, type, key, digest } of entries) {
        this.#run('DELETE FROM outbox WHERE id = ?', id)
        this.#run('INSERT OR REPLACE INTO known VALUES (?, ?, ?)', type, key, digest)
      }
      for (const [file, bytes] of files)
        this.#run('INSERT OR REPLACE INTO files VALUES (?, ?)', file, bytes)
    })
  }

  /** Files of earlier runs, with the length to which they are whole. */
  files(): ReadonlyMap<string, number> {
    const rows = this.#all('SELECT path, bytes FROM files')
    return new Map(rows.map(({ path: at, bytes }) => [String(at), Number(bytes)]))
  }

  forgetFiles(): void {
    this.#run('DELETE FROM files')
  }

  close(): void {
    this.#db.close()
  }

  #transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
  }

  #all(sql: string, ...values: SQLInputValue[]) {
    return this.#db.prepare(sql).all(...values)
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#db.prepare(sql).run(...values)
  }
}
