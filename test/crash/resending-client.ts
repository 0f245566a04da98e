import { setTimeout as sleep } from 'node:timers/promises'
import type { EventSource, SentEvent, SentRequest } from './event-source.ts'

// A client as a careful user would write it: what was not answered is sent again, the same under the same ids, until it is. Its ledger
// is what the platform is held to.

export interface Place {
  readonly partition: number
  readonly offset: number
}

export interface ClientLedger {
  /** Answered 202: each event with the place that the answer named. */
  readonly acknowledged: Map<string, SentEvent & Place>
  /** Bytes of records that were answered with a rejection. */
  readonly rejected: Set<string>
  /** Requests that broke or were told to come back, by what happened. */
  readonly troubles: Map<string, number>
  /** What a person reads in each kind of 503, as last said. */
  readonly refusals: Map<string, string>
  /** Answers that no honest platform gives; the callers stop at the first. */
  readonly lies: string[]
}

export interface ClientOptions {
  readonly source: EventSource
  /** Where the platform listens now; waited for while it is down. */
  readonly url: () => Promise<string>
  /** Between two requests. */
  readonly pauseMs: () => number
}

type Answer = Readonly<Record<string, unknown>>

interface AnsweredRecord extends Place {
  readonly id?: string
  readonly index?: number
  readonly status: 'accepted' | 'duplicate' | 'rejected'
}

/** One caller of its own, with its own connection in turn. */
export class ResendingClient {
  readonly ledger: ClientLedger = {
    acknowledged: new Map(),
    rejected: new Set(),
    troubles: new Map(),
    refusals: new Map(),
    lies: [],
  }
  readonly #options: ClientOptions
  #stopped = false
  #done: Promise<void> = Promise.resolve()

  constructor(options: ClientOptions) {
    this.#options = options
  }

  start(callerCount: number): void {
    const callers = Array.from({ length: callerCount }, () => this.#run())
    this.#done = Promise.all(callers).then(() => {})
  }

  /** No new requests; returns when those begun are answered, which needs a platform that runs. */
  async finish(): Promise<void> {
    this.#stopped = true
    await this.#done
  }

  async #run(): Promise<void> {
    const { source, pauseMs } = this.#options
    let last: SentRequest | undefined
    for (let turn = 1; !this.#stopped && this.ledger.lies.length === 0; turn += 1) {
      // Every so often the request before is sent once more, answered as it was: that must change nothing.
      const request = turn % 10 === 0 && last !== undefined ? last : source.next()
      await this.#sendUntilAnswered(request)
      last = request
      await sleep(pauseMs())
    }
  }

  async #sendUntilAnswered(request: SentRequest): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const url = await this.#options.url()
      const response = await fetch(`${url}/events`, {
        method: 'POST',
        headers: request.headers,
        body: request.body,
      }).catch(() => undefined)
      const answer = (await response?.json().catch(() => undefined)) as Answer | undefined
      if (response === undefined) this.#trouble('broken connection')
      else if (answer === undefined) this.#trouble('half an answer')
      else if (response.status !== 503) return this.#enter(request, response.status, answer)
      else {
        this.#trouble(`503 ${answer.code}`)
        this.ledger.refusals.set(String(answer.code), String(answer.detail))
        if (!(Number(response.headers.get('retry-after')) > 0))
          this.ledger.lies.push(`503 without Retry-After: ${JSON.stringify(answer)}`)
      }
      await sleep(Math.min(20 * attempt, 200))
    }
  }

  #trouble(what: string): void {
    const { troubles } = this.ledger
    troubles.set(what, (troubles.get(what) ?? 0) + 1)
  }

  /** Write an answer into the ledger, after checking that it speaks of what was sent. */
  #enter(request: SentRequest, status: number, answer: Answer): void {
    const answered = answeredRecords(request, status, answer)
    const fits = answered?.length === request.records.length
    if (!fits)
      this.ledger.lies.push(
        `${status} ${JSON.stringify(answer).slice(0, 500)} to ${request.body.slice(0, 500)}`,
      )
    for (const [index, sent] of request.records.entries()) {
      const said = answered?.[index]
      if (!fits || said === undefined) continue
      if ('bad' in sent) {
        if (said.status === 'rejected') this.ledger.rejected.add(sent.bad)
        else this.ledger.lies.push(`took ${sent.bad}`)
      } else this.#acknowledge(sent.event, said)
    }
  }

  #acknowledge(event: SentEvent, { id, status, partition, offset }: AnsweredRecord): void {
    const { acknowledged, lies } = this.ledger
    if (status === 'rejected' || id !== event.id) {
      lies.push(`${status} ${id} for ${event.id}`)
      return
    }
    const before = acknowledged.get(event.id)
    if (before === undefined) {
      acknowledged.set(event.id, { ...event, partition, offset })
    } else if (
      status !== 'duplicate' ||
      before.partition !== partition ||
      before.offset !== offset
    ) {
      lies.push(
        `${event.id} was at ${before.partition}/${before.offset} and is ${status} at ${partition}/${offset}`,
      )
    }
  }
}

/** What became of each record of a request, in order; `undefined` when the answer does not say. */
function answeredRecords(
  { isBatch, records }: SentRequest,
  status: number,
  answer: Answer,
): readonly AnsweredRecord[] | undefined {
  if (status === 202)
    return isBatch ? (answer.records as AnsweredRecord[]) : [answer as never as AnsweredRecord]
  if (status !== 400) return undefined
  const rejected: AnsweredRecord = { status: 'rejected', partition: -1, offset: -1 }
  return isBatch ? (answer.records as AnsweredRecord[]) : records.map(() => rejected)
}
