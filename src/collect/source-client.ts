import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import type { SourceAnswer, SourceClient, SourceRequest } from '../model/collect.ts'
import { messageOf, PlatformError } from '../model/errors.ts'
import { SourceAnswerError, SourceAwayError, SourceRefusedError } from './errors.ts'
import { requestPace } from './request-pace.ts'

// A source on the network, asked politely. In: requests from several hands at once. Out: whole answers, or errors that say whether
// another try can help. Holds nothing that a crash could lose.

export interface SourceClientOptions {
  readonly requestsPerSecond: number
  readonly signal: AbortSignal
  readonly limits?: Partial<SourceLimits>
  /** Told when a request is put off, and for how long. */
  readonly onWait?: (reason: string, waitMs: number) => void
}

export interface SourceLimits {
  /** Of one request, before it counts as failed. */
  readonly attemptCountMax: number
  /** The first pause; it doubles, half of it by chance. */
  readonly waitMsMin: number
  readonly waitMsMax: number
  /** Longest rest that a source can ask for with `Retry-After`. */
  readonly retryAfterMsMax: number
  /** From the request to the last byte of a document. */
  readonly answerMsMax: number
  /** The same for a file. */
  readonly fileMsMax: number
}

export const DEFAULT_SOURCE_LIMITS: SourceLimits = Object.freeze({
  attemptCountMax: 6,
  waitMsMin: 500,
  waitMsMax: 30_000,
  // A source that wants a longer rest is away for this run.
  retryAfterMsMax: 300_000,
  answerMsMax: 30_000,
  // Thirty megabytes at one megabit a second.
  fileMsMax: 300_000,
})

const MISSING = [404, 410]
const GZIP = Buffer.from([0x1f, 0x8b])

/** One failed attempt that another may mend. */
interface Trouble {
  readonly reason: string
  readonly waitMs?: number
  readonly cause?: unknown
}

/** A client for one source; everything that asks through it shares its pace. */
export function sourceClient(options: SourceClientOptions): SourceClient {
  const limits = { ...DEFAULT_SOURCE_LIMITS, ...options.limits }
  const pace = requestPace(options.requestsPerSecond)

  async function ask<T>(
    request: SourceRequest,
    answerMsMax: number,
    read: (response: Response) => Promise<T>,
  ): Promise<SourceAnswer<T>> {
    for (let attempt = 1; ; attempt += 1) {
      await pace.turn(options.signal)
      const outcome = await attemptOnce(request, answerMsMax, read)
      if (!('reason' in outcome)) return outcome
      const { reason, waitMs: asked, cause } = outcome
      const isTooLong = asked !== undefined && asked > limits.retryAfterMsMax
      if (attempt >= limits.attemptCountMax || isTooLong)
        throw new SourceAwayError(
          `GET ${shown(request)} did not succeed after ${attempt} ${attempt === 1 ? 'attempt' : 'attempts'}: ${reason}. What was collected is kept; collecting again goes on from there.`,
          { cause },
        )
      const waitMs = asked ?? backOffMs(attempt)
      options.onWait?.(reason, waitMs)
      // A source that names a time means everybody.
      if (asked !== undefined) pace.rest(asked)
      else await sleep(waitMs, undefined, { signal: options.signal })
    }
  }

  async function attemptOnce<T>(
    request: SourceRequest,
    answerMsMax: number,
    read: (response: Response) => Promise<T>,
  ): Promise<SourceAnswer<T> | Trouble> {
    const { secretHeaders = {}, missingStatuses = MISSING } = request
    const timeout = AbortSignal.timeout(answerMsMax)
    try {
      const response = await fetch(addressOf(request), {
        headers: { accept: 'application/json', ...secretHeaders },
        signal: AbortSignal.any([options.signal, timeout]),
      })
      const atMs = Date.parse(response.headers.get('date') ?? '') || Date.now()
      if (response.ok) return { status: 'found', body: await read(response), atMs }
      const said = (await response.text()).slice(0, 300)
      if (missingStatuses.includes(response.status)) return { status: 'missing', atMs }
      return refusal(request, response, said)
    } catch (cause) {
      options.signal.throwIfAborted()
      if (cause instanceof PlatformError) throw cause
      const reason = timeout.aborted
        ? `no whole answer within ${answerMsMax / 1_000} s`
        : causeText(cause)
      return { reason, cause }
    }
  }

  const backOffMs = (attempt: number) =>
    Math.min(limits.waitMsMax, limits.waitMsMin * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)

  return {
    json: (request) =>
      ask(request, limits.answerMsMax, async (response) => JSON.parse(await response.text())),
    lines: (request) =>
      ask(request, limits.fileMsMax, async (response) =>
        linesOf(request, Buffer.from(await response.arrayBuffer())),
      ),
  }
}

/** @throws SourceRefusedError, SourceAnswerError; what another attempt may mend is returned */
function refusal(request: SourceRequest, response: Response, said: string): Trouble {
  const { status, headers } = response
  const text = `GET ${shown(request)} was answered with ${status}: ${said}`
  if (status === 401 || status === 403)
    throw new SourceRefusedError(
      `${text}. The source does not let us in; nothing more was asked. Check the key.`,
    )
  if (status !== 408 && status !== 425 && status !== 429 && status < 500)
    throw new SourceAnswerError(text)
  const waitMs = retryAfterMs(headers.get('retry-after'))
  return { reason: `answered ${status}`, ...(waitMs === undefined ? {} : { waitMs }) }
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
function retryAfterMs(text: string | null): number | undefined {
  if (text === null || text === '') return undefined
  const seconds = Number(text)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000)
  const atMs = Date.parse(text)
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - Date.now())
}

async function* linesOf(request: SourceRequest, bytes: Buffer): AsyncGenerator<string> {
  const whole = Readable.from([bytes])
  const isPacked = bytes.subarray(0, 2).equals(GZIP)
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const chunk of isPacked ? whole.pipe(createGunzip()) : whole) {
      const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n')
      rest = lines.pop()!
      for (const line of lines) if (line.trim() !== '') yield line
    }
  } catch (cause) {
    throw new SourceAnswerError(
      `The file ${shown(request)} cannot be unpacked: ${messageOf(cause)}. It may not be written to its end yet; try again later.`,
      { cause },
    )
  }
  if (rest.trim() !== '') yield rest
}

function addressOf({ url, parameters = {}, secretParameters = {} }: SourceRequest): URL {
  const address = new URL(url)
  for (const [name, value] of Object.entries({ ...parameters, ...secretParameters }))
    address.searchParams.set(name, value)
  return address
}

/** As messages show it: without secrets. */
const shown = ({ url, parameters = {} }: SourceRequest) => {
  const query = new URLSearchParams(parameters).toString()
  return query === '' ? url : `${url}?${query}`
}

/** What undici means by "fetch failed". */
const causeText = (error: unknown): string =>
  error instanceof Error && error.cause !== undefined
    ? `${error.message}: ${messageOf(error.cause)}`
    : messageOf(error)
