import { setTimeout as sleep } from 'node:timers/promises'
import { PERIODS } from '../model/aggregates.ts'
import { messageOf } from '../model/errors.ts'
import type { AggregateStore } from '../serve/aggregates/aggregate-store.ts'
import type { DocumentStore, NewDocument } from '../serve/document-store.ts'

/** Kept measures as documents, replaced whenever they change. */
export interface MeasureDocuments {
  wake(): void
  stop(): Promise<void>
}

export interface MeasureDocumentsOptions {
  readonly store: AggregateStore
  readonly documents: DocumentStore
  readonly collection: string
  readonly onNotice: (line: string) => void
}

/** Changes in a hurry are one replacement, and a period that ends without an order ends here too. */
const INTERVAL_MS = 1_000
const REFRESH_MS = 60_000

export function measureDocuments(options: MeasureDocumentsOptions): MeasureDocuments {
  const { store, documents, collection, onNotice } = options
  const stopping = new AbortController()
  const { signal } = stopping
  let woken = new AbortController()
  let said = ''
  const run = async () => {
    while (!signal.aborted) {
      woken = new AbortController()
      try {
        const version = await store.version()
        if (version >= 0) {
          const facts = { name: collection, indexes: [] }
          await documents.replace(facts, await measureDocumentsOf(store, version), version)
        }
        said = ''
      } catch (error) {
        if (messageOf(error) !== said && !signal.aborted)
          onNotice(`${collection}: ${messageOf(error)}`)
        said = messageOf(error)
      }
      await sleep(INTERVAL_MS, undefined, { signal }).catch(() => {})
      const wake = AbortSignal.any([signal, woken.signal])
      await sleep(REFRESH_MS, undefined, { signal: wake }).catch(() => {})
    }
  }
  const running = run()
  return {
    wake: () => woken.abort(),
    async stop() {
      stopping.abort()
      await running
    },
  }
}

async function measureDocumentsOf(store: AggregateStore, version: number): Promise<NewDocument[]> {
  const nowMs = Date.now()
  const made = PERIODS.map(async (period): Promise<NewDocument> => {
    const { startMs, measures } = await store.measures(period, nowMs)
    const start = new Date(startMs).toISOString()
    return { id: period, document: JSON.stringify({ period, start, ...measures, version }) }
  })
  const all = { period: 'all', ...(await store.totals()), version }
  return [...(await Promise.all(made)), { id: 'all', document: JSON.stringify(all) }]
}
