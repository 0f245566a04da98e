import { setTimeout as sleep } from 'node:timers/promises'
import {
  connect,
  connectForReplication,
  type PostgresConnection,
} from '../serve/postgres/client.ts'
import { postgresName } from '../serve/postgres/config.ts'
import { sinkError } from '../serve/postgres/errors.ts'
import {
  createSlot,
  dropSlot,
  findSlot,
  publishTable,
  type ReplicationSource,
  replicationOffer,
  replicationRefusal,
} from '../serve/postgres/replication-slot.ts'
import {
  openReplicationStream,
  type ReplicationStream,
  type TableChange,
} from '../serve/postgres/replication-stream.ts'
import type { ArrivedChanges } from '../sql/duckdb/arrived-changes.ts'
import { ReferenceStreamError } from './errors.ts'
import { dropTables, loadSnapshot, type PollOptions } from './poll-reference.ts'
import type { ReferenceHistory } from './reference-history.ts'
import type { ReferenceWay } from './reference-way.ts'

// A table in PostgreSQL is followed through a replication slot.
//
// Comes in: at first all rows, as the snapshot has them that the slot was made with; then every change, transaction by transaction. Goes out: versions, committed in the
// lake together with the place in the server's log. Survives a crash: that place. The slot is told only afterwards, so it still has what the lake
// has not; what it sends again is before the place, and left out. A slot that is gone, or has forgotten more than the lake knows, means a fresh start from all
// rows: then changes in between that were undone by later ones are no versions, and everything that holds is right.

export interface ReplicateOptions extends PollOptions {
  readonly pipeline: string
  readonly signal: AbortSignal
  readonly onNotice: (line: string) => void
}

/** The way to follow by replication, or in words why there is none. `isUnasked`: the server is just not set up for it. */
export type ReplicationChoice =
  | { readonly way: ReferenceWay }
  | { readonly refusal: string; readonly isUnasked: boolean }

/** Changes of several transactions are one commit in the lake, up to so many. */
const ROWS_PER_COMMIT = 50_000
/** The gathering time is this share of the interval at which others are asked. */
const GATHER_SHARE = 5
/** How long the end of a transaction, or the server's word about its place, is waited for. */
const SILENCE_MS_MAX = 60_000
const ASK_INTERVAL_MS = 100
/** When nothing of the table changes, the place is remembered after so much of other tables' changes, so that the server can forget them. */
const IDLE_BYTES = 16n * 1024n * 1024n

export async function replicateReference(
  options: ReplicateOptions,
  history: ReferenceHistory,
): Promise<ReplicationChoice> {
  const { plan, postgres, pipeline, signal } = options
  const source: ReplicationSource = {
    ...{ table: plan.table, key: plan.key, publication: `mekong_${pipeline}_${plan.name}` },
    slot: slotName(plan.name, history.id),
  }
  const connection = await connect(postgres, signal)
  try {
    const offer = await replicationOffer(connection, source)
    if (offer.status !== 'offered')
      return { refusal: offer.reason, isUnasked: offer.status === 'unasked' }
    await standReady(options, history, connection, source)
    const stream = await openReplicationStream(
      postgres,
      {
        ...{ slot: source.slot, publication: source.publication, key: plan.key },
        columns: [...plan.columns.map(({ name }) => name), plan.changedAt],
        afterLsn: history.sourceLsn,
      },
      signal,
    )
    return { way: streamWay(options, history, stream) }
  } catch (error) {
    const refusal = replicationRefusal(error)
    if (refusal !== undefined) return { refusal, isUnasked: false }
    throw sinkError(`follow ${plan.table} in ${postgresName(postgres)} by replication`, error)
  } finally {
    await connection.close()
  }
}

/** Unique for each home and reference, because two that read from one slot would each get half. */
const slotName = (reference: string, id: string) =>
  `mekong_${reference.slice(0, 40)}_${id.replaceAll('-', '').slice(0, 12)}`

/** A slot that has everything the history has not; made now, with all rows loaded, if there is none. */
async function standReady(
  options: ReplicateOptions,
  history: ReferenceHistory,
  connection: PostgresConnection,
  source: ReplicationSource,
): Promise<void> {
  const { plan, postgres, onNotice, signal } = options
  const { slot } = source
  const wasPublished = await publishTable(connection, source)
  const found = await findSlot(connection, slot)
  const { sourceLsn } = history
  const trouble = (() => {
    if (sourceLsn === 0n) return undefined
    if (found === undefined) return 'is gone'
    if (found.isLost)
      return 'was invalidated, because the server keeps only so much for those who are away'
    if (found.confirmedLsn > sourceLsn) return 'is ahead of the lake'
    if (found.serverLsn < sourceLsn) return 'is of a server that is younger than the lake'
    return wasPublished
      ? undefined
      : `did not get the table meanwhile, because its publication was gone`
  })()
  if (sourceLsn > 0n && trouble === undefined) return
  if (trouble !== undefined)
    onNotice(
      `reference ${plan.name}: the replication slot ${slot} in ${postgresName(postgres)} ${trouble}. All rows are read anew; changes of the time in between that later ones replaced have no version.`,
    )
  if (found !== undefined) await dropSlot(connection, slot)
  const maker = await connectForReplication(postgres, signal)
  try {
    // The snapshot lives as long as its maker does nothing else.
    const { startLsn, snapshot } = await createSlot(maker, postgres, slot)
    await loadSnapshot(options, history, { snapshot, lsn: startLsn, signal })
  } finally {
    await maker.close()
  }
}

function streamWay(
  options: ReplicateOptions,
  history: ReferenceHistory,
  stream: ReplicationStream,
): ReferenceWay {
  const { plan } = options
  return {
    async look({ isWhole, signal }) {
      const targetLsn = isWhole ? await serverPlace(options, signal) : 0n
      const gathered = gather(options, history, stream)
      let heard = { lsn: stream.readLsn, ms: performance.now() }
      try {
        for (;;) {
          const changes = stream.take()
          for (const change of changes) await gathered.add(change)
          if (!gathered.isWithin && stream.readLsn >= targetLsn) break
          signal.throwIfAborted()
          if (changes.length > 0 || stream.readLsn > heard.lsn)
            heard = { lsn: stream.readLsn, ms: performance.now() }
          if (performance.now() - heard.ms > SILENCE_MS_MAX)
            throw new ReferenceStreamError(
              `The server has said nothing about ${plan.table} for ${SILENCE_MS_MAX} ms. It is connected to again.`,
            )
          if (stream.readLsn < targetLsn) stream.ask()
          await stream.wait(ASK_INTERVAL_MS)
        }
        await gathered.commit()
      } finally {
        await gathered.drop()
      }
      await history.amend()
    },
    async wait(signal) {
      await stream.wait(plan.pollIntervalMs)
      // What follows closely goes along.
      await sleep(plan.pollIntervalMs / GATHER_SHARE, undefined, { signal }).catch(() => {})
    },
    close: () => stream.close(),
  }
}

/** Changes laid down until they are enough for a commit, which never parts a transaction. */
function gather(options: ReplicateOptions, history: ReferenceHistory, stream: ReplicationStream) {
  const { table, engine, clock } = options
  let arrivals: ArrivedChanges | undefined
  let endLsn = 0n
  let isWithin = false
  const drop = async () => {
    await arrivals?.drop()
    arrivals = undefined
  }
  const commit = async () => {
    if (arrivals === undefined) return rest(history, stream)
    const versions = await arrivals.versions(await history.momentMicros(clock.nowMs()))
    await history.take(versions, endLsn).finally(() => dropTables(engine, [versions.name]))
    // Only now may the server forget it.
    stream.confirm(endLsn)
    await drop()
  }
  return {
    get isWithin() {
      return isWithin
    },
    async add(change: TableChange) {
      isWithin = change.kind !== 'commit'
      if (change.kind !== 'commit') {
        arrivals ??= await table.arrivals()
        return lay(arrivals, change)
      }
      endLsn = change.endLsn
      if ((arrivals?.rowCount ?? 0) >= ROWS_PER_COMMIT) await commit()
    },
    commit,
    drop,
  }
}

async function lay(
  arrivals: ArrivedChanges,
  change: Exclude<TableChange, { kind: 'commit' }>,
): Promise<void> {
  if (change.kind === 'gone') return arrivals.gone(change.key, change.atMicros)
  if (change.kind === 'emptied') return arrivals.emptied(change.atMicros)
  const { cells, atMicros, keyBefore } = change
  const row = { cells: cells.slice(0, -1), changedAt: cells.at(-1), atMicros }
  return arrivals.put(keyBefore === undefined ? row : { ...row, keyBefore })
}

/** Nothing of the table has changed. When the server's log has grown, remember the place, so that it need not keep what does not concern us. */
async function rest(history: ReferenceHistory, stream: ReplicationStream): Promise<void> {
  const lsn = stream.readLsn
  if (lsn - history.sourceLsn < IDLE_BYTES) return
  await history.take(undefined, lsn)
  stream.confirm(lsn)
}

/** The end of what the server has made durable, asked on a connection of its own. */
async function serverPlace({ postgres }: ReplicateOptions, signal: AbortSignal): Promise<bigint> {
  const connection = await connect(postgres, signal)
  try {
    const { rows } = await connection.run(`SELECT pg_current_wal_flush_lsn() - '0/0'::pg_lsn`)
    return BigInt(rows[0]![0]!)
  } catch (error) {
    throw sinkError(`ask ${postgresName(postgres)} where it is`, error)
  } finally {
    await connection.close()
  }
}
