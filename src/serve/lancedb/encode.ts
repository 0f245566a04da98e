import type { Json, PropertyType, SyncItem, VectorsCollection } from '../../model/sync.ts'
import type { VectorFilter } from '../vector-store.ts'
import type { ArrowPackage, LanceRow } from './package.ts'

/** Beside the metadata, whose names begin with `m_`. */
export const OWN_COLUMNS = ['id', 'entity', 'text', 'batch_version'] as const
const META = 'm_'

export const metadataColumns = ({ metadata }: VectorsCollection): readonly string[] =>
  Object.keys(metadata).map((name) => META + name)

/** The columns of a namespace's table. */
export function lanceSchema(
  arrow: ArrowPackage,
  { metadata }: VectorsCollection,
  dimensions: number,
): object {
  const { Field, Utf8, Int64, Float64, Float32, Bool, List, FixedSizeList } = arrow
  const types: Readonly<Record<PropertyType, () => object>> = {
    int: () => new Int64(),
    float: () => new Float64(),
    text: () => new Utf8(),
    bool: () => new Bool(),
    texts: () => new List(new Field('item', new Utf8(), true)),
  }
  return new arrow.Schema([
    new Field('id', new Utf8(), false),
    new Field('entity', new Int64(), false),
    new Field('text', new Utf8(), false),
    new Field('batch_version', new Int64(), false),
    ...Object.entries(metadata).map(([name, type]) => new Field(META + name, types[type](), true)),
    new Field(
      'vector',
      new FixedSizeList(dimensions, new Field('item', new Float32(), true)),
      false,
    ),
  ])
}

/** An item as a row for `makeArrowTable`. */
export function lanceRow(
  { metadata }: VectorsCollection,
  item: SyncItem,
  version: number,
  vector: Float32Array,
): LanceRow {
  const cells = Object.entries(metadata).map(([name, type]) => [
    META + name,
    arrowCell(type, item.values[name] ?? null),
  ])
  return {
    id: item.id,
    entity: BigInt(item.entity),
    text: item.text ?? '',
    batch_version: BigInt(version),
    ...Object.fromEntries(cells),
    vector: [...vector],
  }
}

const arrowCell = (type: PropertyType, value: Json) =>
  value !== null && type === 'int' ? BigInt(Math.trunc(Number(value))) : value

/** The metadata of a row, nulls left out. */
export function valuesOf({ metadata }: VectorsCollection, row: LanceRow): SyncItem['values'] {
  return Object.fromEntries(
    Object.keys(metadata).flatMap((name) => {
      const value = row[META + name]
      return value === null || value === undefined ? [] : [[name, plain(value)]]
    }),
  )
}

function plain(value: unknown): Json {
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'object' && value !== null) {
    const list = value as { toArray?: () => Iterable<Json> } & Iterable<Json>
    return [...(list.toArray?.() ?? list)]
  }
  return value as Json
}

/** What is declared, and nothing else. */
export function valuesAsStored(
  { metadata }: VectorsCollection,
  values: SyncItem['values'],
): SyncItem['values'] {
  return Object.fromEntries(
    Object.entries(metadata).flatMap(([name, type]) => {
      const value = values[name] ?? null
      if (value === null) return []
      return [[name, type === 'int' ? Math.trunc(Number(value)) : value]]
    }),
  )
}

export const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`

/** A filter as a condition in LanceDB's SQL, or `undefined` for none. */
export function filterSql({ yearMin, yearMax, genres = [] }: VectorFilter): string | undefined {
  const parts = [
    yearMin === undefined ? [] : [`${META}year >= ${Math.trunc(yearMin)}`],
    yearMax === undefined ? [] : [`${META}year <= ${Math.trunc(yearMax)}`],
    genres.length === 0
      ? []
      : [`array_has_any(${META}genres, make_array(${genres.map(quoted).join(', ')}))`],
  ].flat()
  return parts.length === 0 ? undefined : parts.join(' AND ')
}
