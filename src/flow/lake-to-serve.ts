import type { DeltaTable } from '../lake/delta/table.ts'
import { ChangesMissingError } from '../lake/errors.ts'
import type { SyncCursor, VersionedItem } from '../model/sync.ts'
import type { SyncPlan, SyncSource } from '../pipeline/sync.ts'
import type { SyncTarget } from '../serve/sync-target.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { itemChanges } from './item-changes.ts'
import { allEntities, type ChangedEntities, changedEntities } from './sync-changes.ts'
import { repairSource } from './sync-check.ts'

// Where lake tables meet the stores that follow them.
//
// In: the change feed of each table from where the target's own cursor stands. Out: puts and removes of single items, and nothing for entities
// whose watched columns are what they were. Each target has a cursor for each table, so that one that is away holds up no other, and
// one that is lost is filled again from nothing.
// Survives a crash at any point: the cursor first says how far a run will go, then the items are written, then it says that they
// are. A run that finds the first without the second sends exactly the same changes again, and writing twice is
// writing once.

export interface SyncWorld {
  readonly engine: ComputeEngine
  /** `undefined` for a table that nothing has written yet. */
  readonly openTable: (name: string) => Promise<DeltaTable | undefined>
}

export interface SyncJob {
  readonly plan: SyncPlan
  readonly target: SyncTarget
  /** Of what items look like in the target; see `SyncCursor.shape`. */
  readonly shape: string
  /** Send everything anew, to an emptied target. */
  readonly fullRefresh?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (sent: number) => void
}

/** What a run did; counts of entities, then of items. */
export interface SyncReport {
  /** Whether there was anything to look at. */
  readonly isNew: boolean
  /** Entities that a commit touched since the last run. */
  readonly seen: number
  /** Of them, those that differ in what this target watches. */
  readonly changed: number
  /** Entities that needed no look: `seen - changed`. */
  readonly saved: number
  /** Items put and removed. */
  readonly sent: number
  readonly put: number
  readonly removed: number
  /** Items by collection, `put_ACTED_IN`; and what the target counts of its own, such as `embedded`. */
  readonly details: Readonly<Record<string, number>>
}

/** Enough to make a round trip worth its while, few enough to hold in memory with their texts. */
const BATCH_ITEM_COUNT = 4_000

/** Bring a target up to the newest version of each of its tables. @throws what the target throws; then the cursor tells how far it came */
export async function runSync(world: SyncWorld, job: SyncJob): Promise<SyncReport> {
  const { plan, target, signal } = job
  await target.open(signal)
  const cursors = await Promise.all(plan.from.map(({ table }) => target.cursor(table)))
  const isOtherShape = cursors.some((cursor) => cursor !== undefined && cursor.shape !== job.shape)
  const isCleared = job.fullRefresh || isOtherShape
  if (isCleared) await target.clear(signal)
  const tally = new SyncTally(job)
  for (const [index, source] of plan.from.entries())
    await syncSource(world, job, source, tally, isCleared ? undefined : cursors[index])
  return tally.report()
}

async function syncSource(
  world: SyncWorld,
  job: SyncJob,
  source: SyncSource,
  tally: SyncTally,
  found: SyncCursor | undefined,
): Promise<void> {
  const { engine, openTable } = world
  const { target, shape, signal } = job
  const table = await openTable(source.table)
  if (table === undefined) return
  const newest = await table.snapshot({}, signal)
  const cursor: SyncCursor = found ?? { tableId: newest.id, version: -1, shape }
  const to = cursor.pending ?? newest.version
  if (to <= cursor.version && cursor.tableId === newest.id) return
  const repair = async () => {
    const mended = await repairSource(
      { engine, table, target, source },
      { version: newest.version, ...(signal === undefined ? {} : { signal }) },
    )
    tally.repaired(mended)
    await target.saveCursor(source.table, { tableId: newest.id, version: newest.version, shape })
  }
  // Another table of the same name: what the target holds has nothing to do with its changes.
  if (cursor.tableId !== newest.id) return repair()
  let entities: ChangedEntities
  try {
    entities =
      cursor.version < 0
        ? await allEntities(engine, table, source, { version: to }, signal)
        : await changedEntities(engine, table, source, { from: cursor.version + 1, to }, signal)
  } catch (error) {
    if (error instanceof ChangesMissingError) return repair()
    throw error
  }
  const reached: SyncCursor = { tableId: newest.id, version: to, shape }
  try {
    // Said before the first item is written; where none differs, the cursor moves in one step.
    if (entities.changed > 0) await target.saveCursor(source.table, { ...cursor, pending: to })
    await tally.send(entities, source)
  } finally {
    await entities[Symbol.asyncDispose]()
  }
  await target.saveCursor(source.table, reached)
  // What came while a pending run was made good.
  if (to < newest.version) await syncSource(world, job, source, tally, reached)
}

/** Gathers items into batches, sends them, and counts. */
class SyncTally {
  readonly #job: SyncJob
  readonly #details: Record<string, number> = {}
  #isNew = false
  #seen = 0
  #changed = 0
  #put = 0
  #removed = 0
  #puts: VersionedItem[] = []
  #removes: VersionedItem[] = []

  constructor(job: SyncJob) {
    this.#job = job
  }

  async send(entities: ChangedEntities, source: SyncSource): Promise<void> {
    this.#isNew = true
    this.#seen += entities.seen
    this.#changed += entities.changed
    for await (const change of entities.stream(this.#job.signal)) {
      const { puts, removes } = itemChanges(source, change)
      this.#puts.push(...puts)
      this.#removes.push(...removes)
      if (this.#puts.length + this.#removes.length >= BATCH_ITEM_COUNT) await this.#flush()
    }
    await this.#flush()
  }

  repaired({ put, removed }: { readonly put: number; readonly removed: number }): void {
    this.#isNew = true
    this.#put += put
    this.#removed += removed
  }

  async #flush(): Promise<void> {
    const [puts, removes] = [this.#puts, this.#removes]
    if (puts.length + removes.length === 0) return
    this.#puts = []
    this.#removes = []
    const { target, signal, onProgress } = this.#job
    this.#count(await target.write({ puts, removes }, signal))
    this.#count(byCollection('put', puts))
    this.#count(byCollection('removed', removes))
    this.#put += puts.length
    this.#removed += removes.length
    onProgress?.(this.#put + this.#removed)
  }

  #count(counts: Readonly<Record<string, number>>): void {
    for (const [name, count] of Object.entries(counts))
      this.#details[name] = (this.#details[name] ?? 0) + count
  }

  report(): SyncReport {
    return {
      isNew: this.#isNew,
      seen: this.#seen,
      changed: this.#changed,
      saved: this.#seen - this.#changed,
      sent: this.#put + this.#removed,
      put: this.#put,
      removed: this.#removed,
      details: this.#details,
    }
  }
}

function byCollection(verb: string, items: readonly VersionedItem[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { item } of items) {
    const name = `${verb}_${item.collection}`
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}
