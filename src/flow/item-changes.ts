import { assert } from '../model/errors.ts'
import { itemText, type SyncItem, type SyncRow, type VersionedItem } from '../model/sync.ts'
import type { SyncSource } from '../pipeline/sync.ts'
import type { EntityChange } from './sync-changes.ts'

/** What a target must put and remove for one entity to be as it is now. */
export interface ItemChanges {
  readonly puts: readonly VersionedItem[]
  readonly removes: readonly VersionedItem[]
}

/** The items of an entity before and after, compared. Pure. An entity that is no more loses all of its items. */
export function itemChanges(source: SyncSource, { before, after }: EntityChange): ItemChanges {
  const old = new Map(itemsOf(source, before).map((item) => [nameOf(item), item]))
  const now = itemsOf(source, after)
  const version = Number((after ?? before)![source.version])
  assert(Number.isSafeInteger(version), `${source.version} of ${source.table} is a whole number`)
  const puts: VersionedItem[] = []
  for (const item of now) {
    const was = old.get(nameOf(item))
    // An edge that goes elsewhere now is another edge in its place.
    if (was === undefined || endsOf(was) === endsOf(item)) old.delete(nameOf(item))
    if (was === undefined || itemText(was) !== itemText(item)) puts.push({ item, version })
  }
  return { puts, removes: [...old.values()].map((item) => ({ item, version })) }
}

/** The items of one row, none for no row. */
export const itemsOf = (source: SyncSource, row: SyncRow | null): readonly SyncItem[] =>
  row === null ? [] : source.items(row)

const endsOf = ({ from, to }: SyncItem) => JSON.stringify([from, to])
const nameOf = ({ collection, id }: SyncItem) => `${collection}\n${id}`
