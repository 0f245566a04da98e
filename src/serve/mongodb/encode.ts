import { type AnyBulkWriteOperation, BSON, type Document } from 'mongodb'
import type { DocumentChange, FindRequest, NewDocument } from '../document-store.ts'

// Documents become operations here, and answers become plain values. Pure.

/** Field of every document: the version of the table that it is of. */
export const VERSION_FIELD = '_version'

interface StoredDocument extends Document {
  readonly _id: string
}

const parsed = (text: string): Document => BSON.EJSON.parse(text, { relaxed: true }) as Document

export const storedDocument = ({ id, document }: NewDocument, version: number): StoredDocument => ({
  _id: id,
  ...parsed(document),
  [VERSION_FIELD]: version,
})

/**
 * A newer document takes an older one's place or is new. When a newer one is there, the filter finds nothing, and the insert that follows meets its
 * id: error 11000, which says that nothing has to be done.
 */
export function changeOperation({
  id,
  version,
  document,
}: DocumentChange): AnyBulkWriteOperation<StoredDocument> {
  const filter = { _id: id, [VERSION_FIELD]: { $lt: version } }
  if (document === null) return { deleteOne: { filter } }
  const { _id, ...replacement } = storedDocument({ id, document }, version)
  return { replaceOne: { filter, replacement, upsert: true } }
}

/** Of one id the highest version, so that one batch has one operation for it. */
export function newestOfEach(changes: readonly DocumentChange[]): readonly DocumentChange[] {
  const newest = new Map<string, DocumentChange>()
  for (const change of changes) {
    const known = newest.get(change.id)
    if (known === undefined || known.version <= change.version) newest.set(change.id, change)
  }
  return [...newest.values()]
}

export const sortOf = ({ orderBy }: FindRequest): Record<string, 1 | -1> =>
  orderBy === undefined
    ? { _id: 1 }
    : {
        [orderBy.field]: orderBy.descending ? -1 : 1,
        ...(orderBy.field === '_id' ? {} : { _id: 1 }),
      }

/** A document as plain JSON: instants as ISO 8601, decimals as numbers. */
export function plainDocument({
  [VERSION_FIELD]: _,
  ...document
}: Document): Readonly<Record<string, unknown>> {
  return plain(document) as Readonly<Record<string, unknown>>
}

function plain(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString()
  if (value instanceof BSON.Decimal128) return Number(value.toString())
  if (value instanceof BSON.Long) return value.toNumber()
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, cell]) => [name, plain(cell)]))
  return value
}
