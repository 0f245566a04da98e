import type {
  EdgesCollection,
  EntityRange,
  Json,
  NodesCollection,
  PropertyType,
  SyncItem,
  VersionedItem,
} from '../../model/sync.ts'
import type { GraphDialect, GraphRow } from './connection.ts'

// Cypher as text, and items as parameters. Pure. Names come from a validated plan; values are parameters, always.

export type GraphCollection = NodesCollection | EdgesCollection

/** Edges whose ends are not both there yet are kept as nodes of this label until they are. */
export const WAITING = 'MekongWaiting'
export const CURSOR = 'MekongCursor'

const name = (text: string) => `\`${text.replaceAll('`', '')}\``
const LADYBUG_TYPES: Readonly<Record<PropertyType, string>> = {
  int: 'INT64',
  float: 'DOUBLE',
  text: 'STRING',
  bool: 'BOOLEAN',
  texts: 'STRING[]',
}

/** What a graph needs before the first item: tables where the engine has them, else constraints and indexes. */
export function createStatements(
  { needsTables }: GraphDialect,
  collections: readonly GraphCollection[],
): readonly string[] {
  if (!needsTables) {
    return [
      `CREATE CONSTRAINT IF NOT EXISTS FOR (n:${CURSOR}) REQUIRE n.consumer IS UNIQUE`,
      `CREATE CONSTRAINT IF NOT EXISTS FOR (n:${WAITING}) REQUIRE n.id IS UNIQUE`,
      ...collections.map((c) =>
        c.kind === 'nodes'
          ? `CREATE CONSTRAINT IF NOT EXISTS FOR (n:${name(c.name)}) REQUIRE n.${name(c.key)} IS UNIQUE`
          : `CREATE INDEX IF NOT EXISTS FOR ()-[r:${name(c.name)}]-() ON (r.${name(c.id)})`,
      ),
    ]
  }
  const columns = (properties: Readonly<Record<string, PropertyType>>) =>
    Object.entries(properties).map(([p, type]) => `${name(p)} ${LADYBUG_TYPES[type]}`)
  return [
    `CREATE NODE TABLE IF NOT EXISTS ${CURSOR}(consumer STRING PRIMARY KEY, cursor STRING)`,
    `CREATE NODE TABLE IF NOT EXISTS ${WAITING}(id STRING PRIMARY KEY, collection STRING, needs_from STRING, needs_to STRING, item STRING, batch_version INT64)`,
    ...collections
      .filter((c) => c.kind === 'nodes')
      .map(
        (c) =>
          `CREATE NODE TABLE IF NOT EXISTS ${name(c.name)}(${[`${name(c.key)} INT64 PRIMARY KEY`, ...columns(c.properties), 'batch_version INT64'].join(', ')})`,
      ),
    ...collections
      .filter((c) => c.kind === 'edges')
      .map(
        (c) =>
          `CREATE REL TABLE IF NOT EXISTS ${name(c.name)}(${[...c.between.map(([from, to]) => `FROM ${name(from)} TO ${name(to)}`), `${name(c.id)} STRING`, ...columns(c.properties), 'batch_version INT64'].join(', ')})`,
      ),
  ]
}

/** `row.p0` and so on: property names stay out of parameters, so that any name will do. */
const assignments = (
  { cast }: GraphDialect,
  variable: string,
  properties: Readonly<Record<string, PropertyType>>,
) =>
  [
    ...Object.entries(properties).map(
      ([property, type], index) => `${variable}.${name(property)} = ${cast(`row.p${index}`, type)}`,
    ),
    `${variable}.batch_version = ${cast('row.v', 'int')}`,
  ].join(', ')

/** Nodes that are new or in no newer version; the caller has seen to that (`findNodes`). */
export const putNodes = (dialect: GraphDialect, of: NodesCollection): string =>
  `UNWIND $rows AS row MERGE (n:${name(of.name)} {${name(of.key)}: ${dialect.cast('row.id', 'int')}}) ` +
  `SET ${assignments(dialect, 'n', of.properties)}`

const theNodes = (dialect: GraphDialect, of: NodesCollection) =>
  `MATCH (n:${name(of.name)}) WHERE n.${name(of.key)} IN ${dialect.castInts('$ids')}`

/**
 * Which of the nodes `$ids` are there, in which version. By lists and not by UNWIND, after which the embedded engine sees the first row in place of every
 * other.
 */
export const findNodes = (dialect: GraphDialect, of: NodesCollection): string =>
  `${theNodes(dialect, of)} RETURN n.${name(of.key)} AS id, n.batch_version AS v`

export const removeNodes = (dialect: GraphDialect, of: NodesCollection): string =>
  `${theNodes(dialect, of)} DETACH DELETE n`

/** One kind of edge between two labels, with the keys of both. */
export interface EdgePlace {
  readonly edges: EdgesCollection
  readonly from: NodesCollection
  readonly to: NodesCollection
}

const ends = (dialect: GraphDialect, { from, to }: EdgePlace) =>
  `MATCH (a:${name(from.name)} {${name(from.key)}: ${dialect.cast('row.a', 'int')}}) ` +
  `MATCH (b:${name(to.name)} {${name(to.key)}: ${dialect.cast('row.b', 'int')}})`

/**
 * Edges `$ids` that end at the nodes `$bs`. By lists and not by UNWIND, for which the embedded engine compares every row with every edge, or
 * returns the first row for all of them.
 */
const theEdges = (dialect: GraphDialect, { edges, from, to }: EdgePlace) =>
  `MATCH (a:${name(from.name)})-[r:${name(edges.name)}]->(b:${name(to.name)}) ` +
  `WHERE b.${name(to.key)} IN ${dialect.castInts('$bs')} AND r.${name(edges.id)} IN $ids`

/** Which of the edges are there, in which version. */
export const findEdges = (dialect: GraphDialect, place: EdgePlace): string =>
  `${theEdges(dialect, place)} RETURN r.${name(place.edges.id)} AS id, r.batch_version AS v`

export const removeEdges = (dialect: GraphDialect, place: EdgePlace): string =>
  `${theEdges(dialect, place)} DELETE r`

/** Edges that are not there, between nodes that are. */
export function createEdges(dialect: GraphDialect, place: EdgePlace): string {
  const { edges, from, to } = place
  if (!dialect.copiesEdges)
    return (
      `UNWIND $rows AS row ${ends(dialect, place)} ` +
      `CREATE (a)-[r:${name(edges.name)} {${name(edges.id)}: row.id}]->(b) ` +
      `SET ${assignments(dialect, 'r', edges.properties)}`
    )
  const cells = [
    dialect.cast('row.a', 'int'),
    dialect.cast('row.b', 'int'),
    'row.id',
    ...Object.values(edges.properties).map((type, index) => dialect.cast(`row.p${index}`, type)),
    dialect.cast('row.v', 'int'),
  ]
  return `COPY ${name(edges.name)} FROM (UNWIND $rows AS row RETURN ${cells.join(', ')}) (from='${from.name}', to='${to.name}')`
}

const returned = (variable: string, properties: Readonly<Record<string, PropertyType>>) =>
  Object.keys(properties).map((property, index) => `${variable}.${name(property)} AS p${index}`)

const within = (expression: string, { from, to }: EntityRange) =>
  `${expression} >= ${from} AND ${expression} < ${to}`

export const selectNodes = (of: NodesCollection, range: EntityRange): string =>
  `MATCH (n:${name(of.name)}) WHERE ${within(`n.${name(of.key)}`, range)} ` +
  `RETURN ${[`n.${name(of.key)} AS id`, ...returned('n', of.properties), 'n.batch_version AS v'].join(', ')}`

/** Edges by the number of their end, or (`$a`, `$b`) all at a node. */
export const selectEdges = (
  { edges, from, to }: EdgePlace,
  where: EntityRange | { readonly end: 'from' | 'to'; readonly dialect: GraphDialect },
): string => {
  const condition =
    'end' in where
      ? `${where.end === 'from' ? `a.${name(from.key)}` : `b.${name(to.key)}`} = ${where.dialect.cast('$id', 'int')}`
      : within(`b.${name(to.key)}`, where)
  return (
    `MATCH (a:${name(from.name)})-[r:${name(edges.name)}]->(b:${name(to.name)}) WHERE ${condition} ` +
    `RETURN ${[`a.${name(from.key)} AS a`, `b.${name(to.key)} AS b`, `r.${name(edges.id)} AS id`, ...returned('r', edges.properties), 'r.batch_version AS v'].join(', ')}`
  )
}

/** Parameters of one item, all of them text. */
export function itemParameters(
  { properties }: GraphCollection,
  { item, version }: VersionedItem,
): Record<string, string | null | readonly string[]> {
  const cells = Object.entries(properties).map(([property, type], index) => [
    `p${index}`,
    parameterOf(type, item.values[property] ?? null),
  ])
  const places = item.from && item.to ? { a: item.from.id, b: item.to.id } : {}
  return { id: item.id, ...places, v: String(version), ...Object.fromEntries(cells) }
}

function parameterOf(type: PropertyType, value: Json): string | null | readonly string[] {
  if (value === null) return null
  if (type === 'texts') return Array.isArray(value) ? value.map(String) : [String(value)]
  return String(value)
}

/** The declared properties of an item, and nothing else; whole numbers where whole numbers belong. */
export function valuesAsStored(
  { properties }: GraphCollection,
  values: SyncItem['values'],
): SyncItem['values'] {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([property, type]) => {
      const value = values[property] ?? null
      if (value === null) return []
      if (type === 'int') return [[property, Math.trunc(Number(value))]]
      return [[property, type === 'float' ? Number(value) : value]]
    }),
  )
}

/** The values of a row that `selectNodes` or `selectEdges` returned. */
export function valuesOf({ properties }: GraphCollection, row: GraphRow): SyncItem['values'] {
  return Object.fromEntries(
    Object.keys(properties).flatMap((property, index) => {
      const value = row[`p${index}`] as Json | undefined
      return value === null || value === undefined ? [] : [[property, value]]
    }),
  )
}
