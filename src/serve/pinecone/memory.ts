import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { SyncCursor } from '../../model/sync.ts'

/** What Pinecone cannot keep for us: cursors, and the version of each vector. Losing it means that everything is sent anew, and nothing else. */
export interface PineconeMemory {
  cursor(name: string): SyncCursor | undefined
  saveCursor(name: string, cursor: SyncCursor): void
  version(namespace: string, id: string): number
  remember(namespace: string, versions: readonly (readonly [id: string, version: number])[]): void
  forget(namespace: string, ids: readonly string[]): void
  clear(consumer: string, namespaces: readonly string[]): void
  close(): void
}

export function openPineconeMemory(file: string): PineconeMemory {
  mkdirSync(path.dirname(file), { recursive: true })
  const database = new DatabaseSync(file, { timeout: 5_000 })
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS cursors (name TEXT PRIMARY KEY, cursor TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS versions (namespace TEXT, id TEXT, version INTEGER NOT NULL, PRIMARY KEY (namespace, id)) WITHOUT ROWID;`)
  const within = (work: () => void) => {
    database.exec('BEGIN')
    work()
    database.exec('COMMIT')
  }
  const find = database.prepare('SELECT cursor FROM cursors WHERE name = ?')
  const versionOf = database.prepare('SELECT version FROM versions WHERE namespace = ? AND id = ?')
  const keep = database.prepare(
    'INSERT OR REPLACE INTO versions (namespace, id, version) VALUES (?, ?, ?)',
  )
  const drop = database.prepare('DELETE FROM versions WHERE namespace = ? AND id = ?')
  return {
    cursor(name) {
      const row = find.get(name) as { cursor: string } | undefined
      return row === undefined ? undefined : (JSON.parse(row.cursor) as SyncCursor)
    },
    saveCursor: (name, cursor) =>
      void database
        .prepare('INSERT OR REPLACE INTO cursors (name, cursor) VALUES (?, ?)')
        .run(name, JSON.stringify(cursor)),
    version: (namespace, id) =>
      (versionOf.get(namespace, id) as { version: number } | undefined)?.version ?? -1,
    remember: (namespace, versions) =>
      within(() => {
        for (const [id, version] of versions) keep.run(namespace, id, version)
      }),
    forget: (namespace, ids) =>
      within(() => {
        for (const id of ids) drop.run(namespace, id)
      }),
    clear: (consumer, namespaces) =>
      within(() => {
        database.prepare("DELETE FROM cursors WHERE name LIKE ? || '/%'").run(consumer)
        for (const name of namespaces)
          database.prepare('DELETE FROM versions WHERE namespace = ?').run(name)
      }),
    close: () => database.close(),
  }
}
