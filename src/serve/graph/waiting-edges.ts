import type { EntityRange, SyncItem, VersionedItem } from '../../model/sync.ts'
import type { GraphConnection, GraphRow } from './connection.ts'
import { WAITING } from './encode.ts'

// Edges that came before one of their nodes. They are kept in the graph, as nodes of a label of their own, and placed when the node comes; so no
// node is ever made up, and no credit is lost.

type Run = GraphConnection['run']

const nodeName = ({ label, id }: { readonly label: string; readonly id: string }) =>
  `${label}/${id}`
const waitingId = ({ collection, id }: SyncItem) => `${collection}/${id}`

export async function countWaiting(run: Run): Promise<number> {
  const [row] = await run(`MATCH (w:${WAITING}) RETURN count(w) AS n`)
  return Number(row?.n ?? 0)
}

export async function keepWaiting(
  run: Run,
  { dialect }: GraphConnection,
  edges: readonly VersionedItem[],
): Promise<void> {
  if (edges.length === 0) return
  const rows = edges.map(({ item, version }) => ({
    id: waitingId(item),
    collection: item.collection,
    a: nodeName(item.from!),
    b: nodeName(item.to!),
    item: JSON.stringify(item),
    v: String(version),
  }))
  await run(
    `UNWIND $rows AS row MERGE (w:${WAITING} {id: row.id}) SET w.collection = row.collection, w.needs_from = row.a, w.needs_to = row.b, w.item = row.item, w.batch_version = ${dialect.cast('row.v', 'int')}`,
    { rows },
  )
}

export async function dropWaiting(run: Run, edges: readonly SyncItem[]): Promise<void> {
  if (edges.length === 0) return
  await run(`MATCH (w:${WAITING}) WHERE w.id IN $ids DELETE w`, { ids: edges.map(waitingId) })
}

/** Edges that wait for one of these nodes, maybe among others. */
export async function waitingFor(
  run: Run,
  nodes: readonly SyncItem[],
): Promise<readonly VersionedItem[]> {
  if (nodes.length === 0) return []
  const names = nodes.map(({ collection, id }) => nodeName({ label: collection, id }))
  const rows = await run(
    `MATCH (w:${WAITING}) WHERE w.needs_from IN $names OR w.needs_to IN $names RETURN w.item AS item, w.batch_version AS v`,
    { names },
  )
  return rows.map(versioned)
}

/** What waits to become an edge of a collection, in a range of entities. */
export async function waitingIn(
  run: Run,
  collection: string,
  { from, to }: EntityRange,
): Promise<readonly VersionedItem[]> {
  const rows = await run(
    `MATCH (w:${WAITING}) WHERE w.collection = $collection RETURN w.item AS item, w.batch_version AS v`,
    { collection },
  )
  return rows.map(versioned).filter(({ item }) => item.entity >= from && item.entity < to)
}

const versioned = ({ item, v }: GraphRow): VersionedItem => ({
  item: JSON.parse(item as string) as SyncItem,
  version: Number(v),
})
