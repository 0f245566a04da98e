import { assert } from '../../model/errors.ts'
import type {
  EdgesCollection,
  NodesCollection,
  SyncCursor,
  SyncItem,
  VersionedItem,
} from '../../model/sync.ts'
import type { StoredItem, SyncBatch, SyncTarget } from '../sync-target.ts'
import type { GraphConnection, GraphRow } from './connection.ts'
import {
  CURSOR,
  createEdges,
  createStatements,
  type EdgePlace,
  findEdges,
  findNodes,
  type GraphCollection,
  itemParameters,
  putNodes,
  removeEdges,
  removeNodes,
  selectEdges,
  selectNodes,
  valuesAsStored,
  valuesOf,
  WAITING,
} from './encode.ts'
import { countWaiting, dropWaiting, keepWaiting, waitingFor, waitingIn } from './waiting-edges.ts'

export interface GraphTargetOptions {
  /** The store's connection, which others use as well; closing the target leaves it open. */
  readonly connect: () => Promise<GraphConnection>
  /** Whose cursors these are: `catalog/graph`. */
  readonly consumer: string
  readonly collections: readonly GraphCollection[]
}

/**
 * A graph that follows lake tables: nodes by key, one edge for each credit, removals. A batch is two transactions, nodes before edges. An edge one of whose nodes is not there yet
 * waits in the graph until it is (`waiting-edges.ts`), and waits again when the node goes.
 */
export function graphSyncTarget(options: GraphTargetOptions): SyncTarget {
  const shape = graphShape(options.collections)
  let connection: GraphConnection | undefined
  const at = () => {
    assert(connection !== undefined, 'a target is opened before it is used')
    return connection
  }
  return {
    async open() {
      connection ??= await options.connect()
      for (const statement of createStatements(connection.dialect, options.collections))
        await connection.run(statement)
    },

    async cursor(table) {
      const [row] = await at().run(
        `MATCH (c:${CURSOR} {consumer: $consumer}) RETURN c.cursor AS cursor`,
        {
          consumer: `${options.consumer}/${table}`,
        },
      )
      return row === undefined ? undefined : (JSON.parse(row.cursor as string) as SyncCursor)
    },

    async saveCursor(table, cursor) {
      await at().run(`MERGE (c:${CURSOR} {consumer: $consumer}) SET c.cursor = $cursor`, {
        consumer: `${options.consumer}/${table}`,
        cursor: JSON.stringify(cursor),
      })
    },

    async write({ puts, removes }: SyncBatch) {
      const within = <T>(work: (writer: GraphWriter) => Promise<T>) =>
        at().transaction((run) => work(new GraphWriter(at(), shape, run)))
      await within(async (writer) => {
        await writer.remove(removes)
        await writer.putNodes(puts)
      })
      return { waiting: await within((writer) => writer.putEdges(puts)) }
    },

    async *items(collection, range) {
      const of = shape.collection(collection)
      if (of.kind === 'nodes') {
        for (const row of await at().run(selectNodes(of, range))) yield nodeOf(of, row)
        return
      }
      for (const place of shape.places(of))
        for (const row of await at().run(selectEdges(place, range))) yield edgeOf(place, row)
      yield* await waitingIn(at().run, collection, range)
    },

    asStored(item) {
      const of = shape.collection(item.collection)
      assert(
        item.to === undefined || item.to.id === String(item.entity),
        'an edge belongs to the entity at its end',
      )
      return { ...item, values: valuesAsStored(of, item.values) }
    },

    async clear() {
      for (const { name } of [{ name: CURSOR }, { name: WAITING }, ...shape.nodes])
        await at().run(`MATCH (n:\`${name}\`) DETACH DELETE n`)
    },

    async close() {
      connection = undefined
    },
  }
}

type GraphShape = ReturnType<typeof graphShape>

function graphShape(collections: readonly GraphCollection[]) {
  const nodes = collections.filter((c): c is NodesCollection => c.kind === 'nodes')
  const edges = collections.filter((c): c is EdgesCollection => c.kind === 'edges')
  const node = (label: string) => nodes.find(({ name }) => name === label)!
  // One object for each place, so that items can be grouped by it.
  const known = new Map(
    edges.map((of) => [
      of.name,
      of.between.map(([from, to]): EdgePlace => ({ edges: of, from: node(from), to: node(to) })),
    ]),
  )
  const places = (of: EdgesCollection): readonly EdgePlace[] => known.get(of.name)!
  return {
    nodes,
    edges,
    places,
    collection: (name: string) => collections.find((c) => c.name === name)!,
    placeOf: ({ collection, from, to }: SyncItem) =>
      places(edges.find(({ name }) => name === collection)!).find(
        (place) => place.from.name === from?.label && place.to.name === to?.label,
      )!,
  }
}

const isEdge = ({ item }: VersionedItem) => item.from !== undefined

/** What one transaction does, in an order in which nothing gets in the way of anything else. */
class GraphWriter {
  readonly #connection: GraphConnection
  readonly #shape: GraphShape
  readonly #run: GraphConnection['run']

  constructor(connection: GraphConnection, shape: GraphShape, run: GraphConnection['run']) {
    this.#connection = connection
    this.#shape = shape
    this.#run = run
  }

  async remove(removes: readonly VersionedItem[]): Promise<void> {
    const edges = removes.filter(isEdge)
    for (const [place, items] of Map.groupBy(edges, ({ item }) => this.#shape.placeOf(item)))
      await this.#takeOut(place, items)
    await dropWaiting(
      this.#run,
      edges.map(({ item }) => item),
    )
    const nodes = removes.filter((each) => !isEdge(each))
    for (const [name, items] of Map.groupBy(nodes, ({ item }) => item.collection)) {
      const of = this.#shape.collection(name) as NodesCollection
      const due = await this.#notNewer(of, items)
      for (const { item } of due) await this.#letEdgesWait(item)
      const ids = due.map(({ item }) => item.id)
      if (ids.length > 0) await this.#run(removeNodes(this.#dialect, of), { ids })
    }
  }

  async putNodes(puts: readonly VersionedItem[]): Promise<void> {
    const nodes = puts.filter((each) => !isEdge(each))
    for (const [name, items] of Map.groupBy(nodes, ({ item }) => item.collection)) {
      const of = this.#shape.collection(name) as NodesCollection
      const due = await this.#notNewer(of, items)
      await this.#statement(putNodes(this.#dialect, of), of, due)
    }
  }

  /** Those of the items that the graph does not hold in a newer version. */
  async #notNewer(
    of: NodesCollection,
    items: readonly VersionedItem[],
  ): Promise<readonly VersionedItem[]> {
    const ids = items.map(({ item }) => item.id)
    const found = await this.#run(findNodes(this.#dialect, of), { ids })
    const versions = new Map(found.map(({ id, v }) => [String(id), Number(v ?? -1)]))
    return items.filter(({ item, version }) => (versions.get(item.id) ?? -1) <= version)
  }

  /** Edges, and those that waited for one of the nodes. Returns how many more wait for a node now. */
  async putEdges(puts: readonly VersionedItem[]): Promise<number> {
    const waiting = await countWaiting(this.#run)
    const nodes = puts.filter((each) => !isEdge(each)).map(({ item }) => item)
    const called = waiting === 0 ? [] : await waitingFor(this.#run, nodes)
    const newer = new Set(puts.filter(isEdge).map(({ item }) => `${item.collection}/${item.id}`))
    const edges = [
      ...called.filter(({ item }) => !newer.has(`${item.collection}/${item.id}`)),
      ...puts.filter(isEdge),
    ]
    for (const [place, items] of Map.groupBy(edges, ({ item }) => this.#shape.placeOf(item)))
      await this.#putEdges(place, items, waiting > 0)
    return (await countWaiting(this.#run)) - waiting
  }

  /** Edges that are there in no newer version are taken out and put in anew. */
  async #putEdges(place: EdgePlace, items: readonly VersionedItem[], mayWait: boolean) {
    const newer = await this.#takeOut(place, items)
    const starts = await this.#there(
      place.from,
      items.map(({ item }) => item.from!.id),
    )
    const ends = await this.#there(
      place.to,
      items.map(({ item }) => item.to!.id),
    )
    const isPossible = ({ item }: VersionedItem) =>
      starts.has(item.from!.id) && ends.has(item.to!.id)
    const create = createEdges(this.#dialect, place)
    const made = items.filter((each) => isPossible(each) && !newer.has(each.item.id))
    await this.#statement(create, place.edges, made)
    if (mayWait)
      await dropWaiting(
        this.#run,
        items.filter(isPossible).map(({ item }) => item),
      )
    const waiting = items.filter((each) => !isPossible(each))
    await keepWaiting(this.#run, this.#connection, waiting)
  }

  /** Ids of the nodes that are there. */
  async #there(of: NodesCollection, ids: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.#run(findNodes(this.#dialect, of), { ids: [...new Set(ids)] })
    return new Set(rows.map(({ id }) => String(id)))
  }

  /** Remove these edges, but for those that are there in a newer version; returns the ids of those. */
  async #takeOut(place: EdgePlace, items: readonly VersionedItem[]): Promise<ReadonlySet<string>> {
    const versions = new Map(items.map(({ item, version }) => [item.id, version]))
    const bs = [...new Set(items.map(({ item }) => item.to!.id))]
    const find = findEdges(this.#dialect, place)
    const found = await this.#run(find, { bs, ids: [...versions.keys()] })
    const isNewer = ({ id, v }: GraphRow) => Number(v ?? -1) > versions.get(String(id))!
    const ids = found.filter((row) => !isNewer(row)).map(({ id }) => String(id))
    if (ids.length > 0) await this.#run(removeEdges(this.#dialect, place), { bs, ids })
    return new Set(found.filter(isNewer).map(({ id }) => String(id)))
  }

  /** A node goes, and what others say of it stays true: its edges wait for it to come back. */
  async #letEdgesWait({ collection, id }: SyncItem): Promise<void> {
    for (const edges of this.#shape.edges) {
      for (const place of this.#shape.places(edges)) {
        for (const end of ['from', 'to'] as const) {
          if (place[end].name !== collection) continue
          const cypher = selectEdges(place, { end, dialect: this.#dialect })
          const rows = await this.#run(cypher, { id })
          await keepWaiting(
            this.#run,
            this.#connection,
            rows.map((row) => edgeOf(place, row)),
          )
        }
      }
    }
  }

  get #dialect() {
    return this.#connection.dialect
  }

  async #statement(cypher: string, of: GraphCollection, items: readonly VersionedItem[]) {
    if (items.length > 0)
      await this.#run(cypher, { rows: items.map((item) => itemParameters(of, item)) })
  }
}

function nodeOf(of: NodesCollection, row: GraphRow): StoredItem {
  const entity = Number(row.id)
  return {
    item: { collection: of.name, id: String(entity), entity, values: valuesOf(of, row) },
    version: Number(row.v),
  }
}

function edgeOf({ edges, from, to }: EdgePlace, row: GraphRow): StoredItem {
  return {
    item: {
      collection: edges.name,
      id: String(row.id),
      entity: Number(row.b),
      from: { label: from.name, id: String(row.a) },
      to: { label: to.name, id: String(row.b) },
      values: valuesOf(edges, row),
    },
    version: Number(row.v),
  }
}
