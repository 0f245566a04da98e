import { createHash } from 'node:crypto'
import type {
  Collected,
  CollectedEvent,
  CollectItem,
  Collector,
  CollectRequest,
  ListedItem,
  SourceClient,
} from '../model/collect.ts'
import { messageOf } from '../model/errors.ts'
import type { Checkpoint, OutboxEntry } from './checkpoint.ts'
import { SourceAwayError, SourceRefusedError } from './errors.ts'
import { appendLines, jsonLinesPath, typeOfFile } from './json-lines.ts'

// One run of a collector. In: lists of what the source has, then the items themselves, several at once. Out: events for the front door,
// and JSON lines where they are wanted. An item is fetched, then durable in the checkpoint's outbox, then sent, then confirmed; a run that was
// killed between any two of these begins with what lies in the outbox, under the names that it had.

export interface CollectOptions {
  readonly collector: Collector
  readonly request: CollectRequest
  readonly source: SourceClient
  readonly checkpoint: Checkpoint
  readonly requestsAtOnce: number
  /** Items to fetch at most; the rest stays listed for the next run. */
  readonly itemCountMax?: number | undefined
  /** Send events through the front door. Returns when they are durable there, or refused and kept. Default: nowhere. */
  readonly deliver?: ((events: readonly CollectedEvent[]) => Promise<Delivered>) | undefined
  /** Folder for JSON lines. Default: none are written. */
  readonly outFolder?: string | undefined
  readonly signal: AbortSignal
  readonly onProgress?: (report: CollectReport) => void
}

/** What the front door said. */
export interface Delivered {
  readonly accepted: number
  readonly duplicates: number
  readonly rejected: number
}

export interface CollectReport extends Delivered {
  /** Items that lists have added. */
  readonly listed: number
  /** Items asked for and answered, those that are gone included. */
  readonly fetched: number
  /** Items that are what they were when they were last sent. */
  readonly unchanged: number
  /** Items that the source has no more. */
  readonly gone: number
  /** Items that could not be had; they are tried again in the next run. */
  readonly failed: number
  /** Items that are listed and not collected yet. */
  readonly left: number
  /** The first few of what failed. */
  readonly failures: readonly (CollectItem & { readonly message: string })[]
  readonly files: readonly string[]
}

/** Fetched and waiting for the front door; more than these hold up the fetching. */
const WAITING_COUNT_MAX = 500
const EVENTS_PER_DELIVERY = 200
/** Items in a row for which the source was away, after which it is left alone. */
const AWAY_COUNT_MAX = 5
const SHOWN_FAILURE_COUNT = 10
const READ_AHEAD_COUNT = 200

/** Collect. @throws SourceAwayError, SourceRefusedError, and what `deliver` throws; what was fetched until then is kept */
export async function collect(options: CollectOptions): Promise<CollectReport> {
  return new CollectRun(options).run()
}

interface Fetched {
  readonly item: CollectItem
  readonly entry: Omit<OutboxEntry, 'id'> | undefined
}

class CollectRun {
  readonly #options: CollectOptions
  readonly #stop = new AbortController()
  readonly #run: number
  readonly #inHand = new Set<string>()
  /** Whole bytes of files, and the file that each type is written to. */
  readonly #lengths = new Map<string, number>()
  readonly #paths = new Map<string, string>()
  #ahead: ListedItem[] = []
  #started = 0
  #waiting: Fetched[] = []
  #draining: Promise<void> | undefined
  #awayInARow = 0
  #trouble: { readonly cause: unknown } | undefined
  #report: CollectReport = {
    ...{ listed: 0, fetched: 0, unchanged: 0, gone: 0, failed: 0, left: 0 },
    ...{ accepted: 0, duplicates: 0, rejected: 0, failures: [], files: [] },
  }

  constructor(options: CollectOptions) {
    this.#options = options
    this.#run = options.request.nowMs
    options.signal.addEventListener('abort', () => this.#stop.abort(options.signal.reason), {
      once: true,
    })
  }

  async run(): Promise<CollectReport> {
    const { checkpoint, request, signal, requestsAtOnce } = this.#options
    signal.throwIfAborted()
    await this.#finishEarlierRun()
    const once = await this.#list()
    await Promise.all(Array.from({ length: requestsAtOnce }, () => this.#work()))
    await this.#draining
    if (this.#trouble !== undefined) throw this.#trouble.cause
    signal.throwIfAborted()
    this.#count({ left: checkpoint.left(request) })
    if (this.#report.left === 0) for (const name of once) checkpoint.forgetMark(name)
    return this.#report
  }

  /** What an earlier run had fetched and not confirmed, into the files of that run. */
  async #finishEarlierRun(): Promise<void> {
    const { checkpoint } = this.#options
    const earlier = new Map<string, string>()
    for (const [file, bytes] of checkpoint.files()) {
      this.#lengths.set(file, appendLines(file, bytes, []))
      earlier.set(typeOfFile(file), file)
    }
    while (true) {
      const entries = checkpoint.outbox(EVENTS_PER_DELIVERY)
      if (entries.length === 0) break
      await this.#send(entries, (type) => earlier.get(type))
    }
    checkpoint.forgetFiles()
  }

  /** Returns the marks of lists that are done once their items are. */
  async #list(): Promise<readonly string[]> {
    const { collector, request, source, checkpoint, signal } = this.#options
    const marks = checkpoint.marks()
    const lists = collector.lists(request, source, marks)
    for (const list of lists) {
      signal.throwIfAborted()
      if (marks.get(list.mark.name) === list.mark.value) continue
      this.#count({ listed: await checkpoint.take(request.way, list) })
    }
    return lists.filter(({ isOnce }) => isOnce).map(({ mark }) => mark.name)
  }

  async #work(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      if (this.#waiting.length >= WAITING_COUNT_MAX) {
        await this.#draining
        continue
      }
      const item = this.#next()
      if (item === undefined) return
      try {
        await this.#fetch(item)
      } catch (cause) {
        this.#trouble ??= { cause }
        this.#stop.abort(cause)
      }
    }
  }

  #next(): ListedItem | undefined {
    const { checkpoint, request, itemCountMax = Number.POSITIVE_INFINITY } = this.#options
    if (this.#started >= itemCountMax) return undefined
    if (this.#ahead.length === 0) {
      const question = { ...request, run: this.#run }
      this.#ahead = checkpoint
        .next(question, READ_AHEAD_COUNT + this.#inHand.size)
        .filter((item) => !this.#inHand.has(nameOf(item)))
    }
    const item = this.#ahead.shift()
    if (item === undefined) return undefined
    this.#started += 1
    this.#inHand.add(nameOf(item))
    return item
  }

  async #fetch(item: ListedItem): Promise<void> {
    const { collector, source } = this.#options
    let found: Collected
    try {
      found = await collector.fetch(item, source)
      this.#awayInARow = 0
    } catch (error) {
      this.#stop.signal.throwIfAborted()
      this.#failed(item, error)
      return
    }
    const digest = createHash('sha256').update(JSON.stringify(found.content)).digest('base64url')
    const isSame = this.#options.checkpoint.digestOf(item) === digest
    this.#count({ fetched: 1, unchanged: isSame ? 1 : 0, gone: found.isGone === true ? 1 : 0 })
    const { type, key } = item
    const entry = { type, key, digest, events: JSON.stringify(found.events) }
    this.#waiting.push({ item, entry: isSame ? undefined : entry })
    this.#draining ??= this.#drain()
  }

  /** One item alone, unless it shows that no other will fare better. */
  #failed(item: ListedItem, error: unknown): void {
    if (error instanceof SourceRefusedError) throw error
    const { checkpoint, request } = this.#options
    checkpoint.failed({ ...request, run: this.#run }, item)
    this.#inHand.delete(nameOf(item))
    const failure = { type: item.type, key: item.key, message: messageOf(error) }
    const failures = [...this.#report.failures, failure].slice(0, SHOWN_FAILURE_COUNT)
    this.#count({ failed: 1, failures })
    if (!(error instanceof SourceAwayError)) return
    this.#awayInARow += 1
    if (this.#awayInARow >= AWAY_COUNT_MAX) throw error
  }

  /** While one delivery is under way the next one gathers. */
  async #drain(): Promise<void> {
    const { checkpoint, request } = this.#options
    try {
      while (this.#waiting.length > 0) {
        const batch = this.#waiting.splice(0, EVENTS_PER_DELIVERY)
        const items = batch.map(({ item }) => item)
        const entries = checkpoint.fetched(
          request.way,
          items,
          batch.flatMap(({ entry }) => entry ?? []),
        )
        for (const item of items) this.#inHand.delete(nameOf(item))
        await this.#send(entries, (type) => this.#fileOf(type))
      }
    } catch (cause) {
      this.#trouble ??= { cause }
      this.#stop.abort(cause)
    } finally {
      this.#draining = undefined
    }
  }

  async #send(
    entries: readonly OutboxEntry[],
    fileOf: (type: string) => string | undefined,
  ): Promise<void> {
    if (entries.length === 0) return
    const { checkpoint, deliver } = this.#options
    const events = entries.map((entry) => JSON.parse(entry.events) as CollectedEvent[])
    const lengths = new Map<string, number>()
    for (const type of new Set(entries.map((entry) => entry.type))) {
      const file = fileOf(type)
      if (file === undefined) continue
      const lines = entries.flatMap((entry, index) =>
        entry.type === type ? events[index]!.map(({ event }) => JSON.stringify(event)) : [],
      )
      const bytes = appendLines(file, this.#lengths.get(file) ?? 0, lines)
      this.#lengths.set(file, bytes)
      lengths.set(file, bytes)
    }
    if (deliver !== undefined) this.#count(await deliver(events.flat()))
    checkpoint.delivered(entries, lengths)
  }

  #fileOf(type: string): string | undefined {
    const { outFolder, checkpoint, request } = this.#options
    if (outFolder === undefined) return undefined
    const known = this.#paths.get(type)
    if (known !== undefined) return known
    const file = jsonLinesPath(outFolder, type, request.nowMs)
    // Before the first line is in it, so that a run after a kill finds it.
    checkpoint.delivered([], new Map([[file, 0]]))
    this.#paths.set(type, file)
    this.#count({ files: [...this.#report.files, file] })
    return file
  }

  #count(more: Partial<CollectReport>): void {
    const next: Record<string, unknown> = { ...this.#report }
    for (const [name, value] of Object.entries(more))
      next[name] = typeof value === 'number' ? (next[name] as number) + value : value
    this.#report = next as unknown as CollectReport
    this.#options.onProgress?.(this.#report)
  }
}

const nameOf = ({ type, key }: CollectItem) => `${type} ${key}`
