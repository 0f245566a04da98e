import { createHash } from 'node:crypto'
import type { DeltaTable } from '../lake/delta/table.ts'
import { type EntityRange, itemText, type SyncItem, type VersionedItem } from '../model/sync.ts'
import type { SyncSource } from '../pipeline/sync.ts'
import type { SyncTarget } from '../serve/sync-target.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { itemsOf } from './item-changes.ts'
import { allEntities } from './sync-changes.ts'

// Reconciliation: what a target holds is read back and compared with what the table says, by counts and checksums over ranges of entities. Only
// ranges that differ are looked at item by item. Reads the target's own values, not what it remembers of them.

export interface CheckContext {
  readonly engine: ComputeEngine
  readonly table: DeltaTable
  readonly target: SyncTarget
  readonly source: SyncSource
}

export interface CheckOptions {
  /** Of the table. */
  readonly version: number
  readonly signal?: AbortSignal
}

/** How one collection compares, as far as it is filled from one table. */
export interface CollectionCheck {
  readonly collection: string
  readonly expected: number
  readonly found: number
  readonly missing: number
  readonly surplus: number
  readonly different: number
  /** Ranges of entities that do not agree. */
  readonly ranges: readonly EntityRange[]
}

/** Entities in one range; ids of TMDB go to a few million, so that there are some hundred ranges at most. */
const RANGE_WIDTH = 16_384

interface Sum {
  count: number
  /** Of the items' digests, modulo 2^48: in any order the same. */
  checksum: number
}

interface Compared {
  readonly collections: readonly CollectionCheck[]
  readonly puts: readonly VersionedItem[]
  readonly removes: readonly VersionedItem[]
}

/** Compare what a target holds of a table's items with the table. Nothing is changed. */
export async function checkSource(
  context: CheckContext,
  options: CheckOptions,
): Promise<readonly CollectionCheck[]> {
  const checks: CollectionCheck[] = []
  for await (const { collections } of compare(context, options)) checks.push(...collections)
  return merged(checks)
}

/** Compare, and put and remove whatever differs. Returns how much that was. */
export async function repairSource(
  context: CheckContext,
  options: CheckOptions,
): Promise<{ readonly put: number; readonly removed: number }> {
  let put = 0
  let removed = 0
  for await (const { puts, removes } of compare(context, options)) {
    if (puts.length + removes.length === 0) continue
    await context.target.write({ puts, removes }, options.signal)
    put += puts.length
    removed += removes.length
  }
  return { put, removed }
}

/** One answer for each range; those that agree come as counts alone. */
async function* compare(context: CheckContext, options: CheckOptions): AsyncGenerator<Compared> {
  const { target, source } = context
  const expected = new Map<string, Sum>()
  const collections = new Set<string>(source.collections)
  for await (const { item } of expectedItems(context, options)) add(expected, target.asStored(item))
  const everything = { from: 0, to: Number.MAX_SAFE_INTEGER }
  const found = new Map<string, Sum>()
  for (const collection of collections)
    for await (const { item } of target.items(collection, everything, options.signal))
      if (isOf(source, item)) add(found, item)
  for (const place of new Set([...expected.keys(), ...found.keys()])) {
    const [wanted, there] = [expected.get(place), found.get(place)]
    if (wanted?.count === there?.count && wanted?.checksum === there?.checksum) {
      yield { collections: [agreeing(place, wanted!.count)], puts: [], removes: [] }
    } else yield await compareRange(context, options, place)
  }
}

async function compareRange(
  context: CheckContext,
  options: CheckOptions,
  place: string,
): Promise<Compared> {
  const { target, source } = context
  const { collection, range } = placeOf(place)
  const wanted = new Map<string, VersionedItem>()
  for await (const versioned of expectedItems(context, { ...options, range }))
    if (versioned.item.collection === collection) wanted.set(versioned.item.id, versioned)
  const expected = wanted.size
  const puts: VersionedItem[] = []
  const removes: VersionedItem[] = []
  let found = 0
  for await (const stored of target.items(collection, range, options.signal)) {
    if (!isOf(source, stored.item)) continue
    found += 1
    const should = wanted.get(stored.item.id)
    wanted.delete(stored.item.id)
    if (should === undefined) removes.push(stored)
    else if (itemText(target.asStored(should.item)) !== itemText(stored.item))
      // Not older than what is there, or the store would keep its own.
      puts.push({ item: should.item, version: Math.max(should.version, stored.version) })
  }
  const different = puts.length
  puts.push(...wanted.values())
  const counts = { missing: wanted.size, surplus: removes.length, different }
  return {
    collections: [{ collection, expected, found, ...counts, ranges: [range] }],
    puts,
    removes,
  }
}

async function* expectedItems(
  { engine, table, source }: CheckContext,
  { version, signal, range }: CheckOptions & { readonly range?: EntityRange },
): AsyncGenerator<VersionedItem> {
  const at = range === undefined ? { version } : { version, range }
  const entities = await allEntities(engine, table, source, at, signal)
  for await (const { after } of entities.stream(signal)) {
    const rowVersion = Number(after![source.version])
    for (const item of itemsOf(source, after)) yield { item, version: rowVersion }
  }
}

/** Several tables may fill one collection; edges say by their end whose they are. */
const isOf = ({ endLabel }: SyncSource, { to }: SyncItem) =>
  to === undefined || endLabel === undefined || to.label === endLabel

function add(sums: Map<string, Sum>, item: SyncItem): void {
  const place = `${item.collection} ${Math.floor(item.entity / RANGE_WIDTH)}`
  const sum = sums.get(place) ?? { count: 0, checksum: 0 }
  const digest = createHash('md5')
    .update(`${item.id}\n${itemText(item)}`)
    .digest()
  sum.count += 1
  sum.checksum = (sum.checksum + digest.readUIntBE(0, 6)) % 2 ** 48
  sums.set(place, sum)
}

function placeOf(place: string): { readonly collection: string; readonly range: EntityRange } {
  const [collection = '', index] = place.split(' ')
  const from = Number(index) * RANGE_WIDTH
  return { collection, range: { from, to: from + RANGE_WIDTH } }
}

function agreeing(place: string, count: number): CollectionCheck {
  const { collection } = placeOf(place)
  const counts = { missing: 0, surplus: 0, different: 0 }
  return { collection, expected: count, found: count, ...counts, ranges: [] }
}

function merged(checks: readonly CollectionCheck[]): readonly CollectionCheck[] {
  const all = new Map<string, CollectionCheck>()
  for (const check of checks) {
    const known = all.get(check.collection)
    all.set(
      check.collection,
      known === undefined
        ? check
        : {
            collection: check.collection,
            expected: known.expected + check.expected,
            found: known.found + check.found,
            missing: known.missing + check.missing,
            surplus: known.surplus + check.surplus,
            different: known.different + check.different,
            ranges: [...known.ranges, ...check.ranges],
          },
    )
  }
  return [...all.values()]
}
