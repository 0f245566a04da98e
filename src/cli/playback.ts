import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, PlatformError } from '../model/errors.ts'
import type { SimulatedRequest } from '../pipeline/plan.ts'

/** What a playback sent, and what the gateway said to it: `produced = accepted + duplicates + rejected`. */
export interface PlaybackTally {
  readonly produced: number
  readonly accepted: number
  readonly duplicates: number
  readonly rejected: number
}

/** Two playbacks as one. */
export const together = (a: PlaybackTally, b: PlaybackTally): PlaybackTally => ({
  produced: a.produced + b.produced,
  accepted: a.accepted + b.accepted,
  duplicates: a.duplicates + b.duplicates,
  rejected: a.rejected + b.rejected,
})

export interface PlaybackOptions {
  /** Where the platform listens. */
  readonly url: string
  readonly apiKey?: string | undefined
  readonly requests: Iterable<SimulatedRequest> | AsyncIterable<SimulatedRequest>
  readonly signal: AbortSignal
  readonly onProgress?: (tally: PlaybackTally) => void
}

/** The gateway did not take a request, and asking again did not help. */
export class PlaybackError extends PlatformError {
  readonly code = 'PLAYBACK_FAILED'
  readonly retry = 'never'
}

const ATTEMPT_COUNT_MAX = 20
const WAIT_MS_MAX = 5_000

interface BatchCounts {
  readonly accepted: number
  readonly duplicates: number
  readonly rejected: number
}

/**
 * Send requests through the front door, one after another, so that the order of each key is kept. An overloaded or restarting
 * gateway is waited for; sending again is safe, because every request carries an idempotency key.
 */
export async function play(options: PlaybackOptions): Promise<PlaybackTally> {
  let tally: PlaybackTally = { produced: 0, accepted: 0, duplicates: 0, rejected: 0 }
  for await (const request of options.requests) {
    options.signal.throwIfAborted()
    const counts = await send(options, request)
    tally = {
      produced: tally.produced + request.events.length,
      accepted: tally.accepted + counts.accepted,
      duplicates: tally.duplicates + counts.duplicates,
      rejected: tally.rejected + counts.rejected,
    }
    options.onProgress?.(tally)
  }
  return tally
}

async function send(options: PlaybackOptions, request: SimulatedRequest): Promise<BatchCounts> {
  const { url, apiKey, signal } = options
  const body = request.events
    .map((event) => (typeof event === 'string' ? event : JSON.stringify(event)))
    .join('\n')
  const headers = {
    'content-type': 'application/x-ndjson',
    'idempotency-key': randomUUID(),
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
  }
  const address = `${url}${request.path}?results=summary`
  let trouble = ''
  for (let attempt = 1; attempt <= ATTEMPT_COUNT_MAX; attempt += 1) {
    try {
      const response = await fetch(address, { method: 'POST', headers, body, signal })
      const answer = (await response.json()) as Partial<BatchCounts> & { detail?: string }
      if (typeof answer.rejected === 'number')
        return { accepted: 0, duplicates: 0, ...answer } as BatchCounts
      trouble = `${response.status} ${answer.detail ?? ''}`
      if (response.status !== 503 && response.status !== 429) break
      const waitMs = Number(response.headers.get('retry-after') ?? 1) * 1_000
      await sleep(Math.min(waitMs, WAIT_MS_MAX), undefined, { signal })
    } catch (error) {
      signal.throwIfAborted()
      trouble = messageOf(error)
      await sleep(Math.min(100 * 2 ** attempt, WAIT_MS_MAX), undefined, { signal })
    }
  }
  throw new PlaybackError(`${address} did not take ${request.events.length} events: ${trouble}`)
}
