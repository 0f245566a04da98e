import type { Randomness } from '../model/clock.ts'
import { messageOf } from '../model/errors.ts'
import { costUsd, estimatedTokens, type TokenPrices } from './cost.ts'
import { LabelAnswerError, LabelServiceAwayError } from './errors.ts'
import { type LabelModelPort, type LabelTask, labelRequest, readAnswer } from './label-request.ts'

// Labels from a model, for many texts. Comes in: texts, a task, a provider. Goes out: labels, to one writer, and the texts that got none with
// the reason. Some requests are under way at once; what they answer waits in a bounded queue for the writer, and no new request starts while that
// is full. A crash loses at most the answers that were under way: everything that the writer has taken is its own affair.

export interface LabelTextsOptions {
  readonly task: LabelTask
  readonly model: LabelModelPort
  readonly texts: readonly string[]
  readonly prices: TokenPrices
  /** Most that this run may spend, in US dollars. It stops before a request that could go past it. */
  readonly budgetUsd: number
  readonly signal: AbortSignal
  readonly randomness: Randomness
  pause(ms: number, signal: AbortSignal): Promise<void>
  /** The one writer: called with one batch at a time, awaited before the next. */
  write(batch: LabelledBatch): Promise<void>
  readonly onProgress?: (progress: LabelProgress) => void
  readonly limits?: Partial<LabelLimits>
}

export interface LabelledBatch {
  readonly labels: readonly LabelledText[]
  readonly failed: readonly FailedText[]
}

export interface LabelledText {
  readonly text: string
  readonly label: string
  /** This text's share of its request. */
  readonly tokensIn: number
  readonly tokensOut: number
  readonly costUsd: number
}

export interface FailedText {
  readonly text: string
  readonly reason: 'label_answer_invalid' | 'label_service_away'
  readonly message: string
  readonly attempts: number
}

export interface LabelProgress {
  readonly textCount: number
  readonly labelled: number
  readonly failed: number
  readonly calls: number
  readonly tokensIn: number
  readonly tokensOut: number
  readonly costUsd: number
}

/** All but `done`: the texts that are left were not asked and can be in a later run. */
export interface LabelOutcome extends LabelProgress {
  readonly status: 'done' | 'budget_spent' | 'service_away' | 'answers_useless'
}

export interface LabelLimits {
  readonly textsPerCall: number
  readonly callsAtOnce: number
  /** Answers that wait for the writer, from which on no request starts; those under way may still join them. */
  readonly queuedBatches: number
  /** Attempts for one request while the service is away. */
  readonly attemptCountMax: number
  readonly waitMsMax: number
  /** One request, to the last byte of its answer. */
  readonly callTimeoutMs: number
  /** Requests in a row that got no answer at all, after which the run stops. */
  readonly awayCountMax: number
  /** Answers in a row without one usable label, after which the run stops: a model that cannot do this is not paid for every text. */
  readonly uselessCountMax: number
}

export const DEFAULT_LABEL_LIMITS: LabelLimits = Object.freeze({
  textsPerCall: 500,
  callsAtOnce: 8,
  queuedBatches: 4,
  attemptCountMax: 6,
  waitMsMax: 60_000,
  callTimeoutMs: 180_000,
  awayCountMax: 3,
  // One text that spoils its request is alone after nine halvings of 500.
  uselessCountMax: 40,
})

/** Times that texts are asked again because an answer left them out; each time they are fewer. */
const AGAIN_COUNT_MAX = 3

interface Batch {
  readonly texts: readonly string[]
  /** How often these texts have been left out. */
  readonly again: number
}

/** Label texts. @throws LabelServiceRefusedError, and what `write` throws */
export async function labelTexts(options: LabelTextsOptions): Promise<LabelOutcome> {
  const run = new LabelRun(options)
  return run.outcome()
}

class LabelRun {
  readonly #options: LabelTextsOptions
  readonly #limits: LabelLimits
  readonly #waiting: Batch[] = []
  readonly #stop: AbortController
  #writing: Promise<void> = Promise.resolve()
  #queued = 0
  #active = 0
  #reservedUsd = 0
  #awayInARow = 0
  #uselessInARow = 0
  /** What answers took, by what was expected: the most seen, and 1 before any. */
  #tokensByEstimate = { tokensIn: 1, tokensOut: 1 }
  /** No answer has come yet. */
  #isFirst = true
  #status: LabelOutcome['status'] = 'done'
  #error: { readonly cause: unknown } | undefined
  #progress: LabelProgress

  constructor(options: LabelTextsOptions) {
    const { texts, signal, limits } = options
    this.#options = options
    this.#limits = { ...DEFAULT_LABEL_LIMITS, ...limits }
    this.#stop = new AbortController()
    signal.addEventListener('abort', () => this.#stop.abort(signal.reason), { once: true })
    const { textsPerCall } = this.#limits
    for (let from = 0; from < texts.length; from += textsPerCall)
      this.#waiting.push({ texts: texts.slice(from, from + textsPerCall), again: 0 })
    const none = { labelled: 0, failed: 0, calls: 0, tokensIn: 0, tokensOut: 0, costUsd: 0 }
    this.#progress = { textCount: texts.length, ...none }
  }

  async outcome(): Promise<LabelOutcome> {
    const { callsAtOnce } = this.#limits
    await Promise.all(Array.from({ length: callsAtOnce }, () => this.#work()))
    await this.#writing.catch(() => {})
    if (this.#error !== undefined) throw this.#error.cause
    this.#options.signal.throwIfAborted()
    return { status: this.#status, ...this.#progress }
  }

  /** One of the requests under way. Ends when nothing waits and nothing that is under way can bring more. */
  async #work(): Promise<void> {
    while (!this.#stop.signal.aborted && this.#status === 'done') {
      if (this.#queued >= this.#limits.queuedBatches) {
        await this.#writing.catch(() => {})
        continue
      }
      // The first request goes alone: it shows whether the service takes them, and what they really cost.
      const batch = this.#isFirst && this.#active > 0 ? undefined : this.#waiting.shift()
      if (batch === undefined) {
        if (this.#active === 0) return
        await new Promise((resolve) => setTimeout(resolve, 5))
        continue
      }
      this.#active += 1
      try {
        await this.#handle(batch)
      } catch (cause) {
        this.#error ??= { cause }
        this.#stop.abort(cause)
      } finally {
        this.#active -= 1
      }
    }
  }

  async #handle(batch: Batch): Promise<void> {
    const { task, prices, budgetUsd } = this.#options
    const request = labelRequest(task, batch.texts)
    const expected = estimatedTokens(request, batch.texts.length)
    const reserved = costUsd(prices, {
      tokensIn: expected.tokensIn * this.#tokensByEstimate.tokensIn,
      tokensOut: expected.tokensOut * this.#tokensByEstimate.tokensOut,
    })
    if (this.#progress.costUsd + this.#reservedUsd + reserved > budgetUsd) {
      this.#waiting.unshift(batch)
      this.#status = 'budget_spent'
      return
    }
    this.#reservedUsd += reserved
    try {
      await this.#askUntilAnswered(batch, request)
    } finally {
      this.#reservedUsd -= reserved
    }
  }

  async #askUntilAnswered(batch: Batch, request: ReturnType<typeof labelRequest>): Promise<void> {
    const { model, task, pause } = this.#options
    const { attemptCountMax, callTimeoutMs } = this.#limits
    for (let attempt = 1; ; attempt += 1) {
      try {
        const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(callTimeoutMs)])
        this.#count({ calls: 1 })
        const text = await model.ask(request, signal)
        this.#learn(batch, request, text)
        const answer = readAnswer(text, task, batch.texts.length)
        this.#take(batch, answer)
        return
      } catch (error) {
        this.#stop.signal.throwIfAborted()
        if (error instanceof LabelAnswerError) {
          this.#learn(batch, request, error.usage)
          this.#split(batch, error)
          return
        }
        if (!(error instanceof LabelServiceAwayError)) throw error
        if (attempt >= attemptCountMax) {
          this.#giveUp(batch, error, attempt)
          return
        }
        await pause(this.#waitMs(attempt, error), this.#stop.signal)
      }
    }
  }

  /** A model that thinks writes more than its labels; the requests after it are reserved for as much. */
  #learn(
    { texts }: Batch,
    request: ReturnType<typeof labelRequest>,
    { tokensIn, tokensOut }: Pick<LabelProgress, 'tokensIn' | 'tokensOut'>,
  ): void {
    this.#isFirst = false
    this.#awayInARow = 0
    const expected = estimatedTokens(request, texts.length)
    const seen = this.#tokensByEstimate
    this.#tokensByEstimate = {
      tokensIn: Math.max(seen.tokensIn, tokensIn / expected.tokensIn),
      tokensOut: Math.max(seen.tokensOut, tokensOut / expected.tokensOut),
    }
  }

  /** What the service says, else doubling with full jitter. */
  #waitMs(attempt: number, { waitMs }: LabelServiceAwayError): number {
    const { waitMsMax } = this.#limits
    const [high, low] = this.#options.randomness.bytes(new Uint8Array(2))
    const chance = (high! * 256 + low!) / 65_536
    if (waitMs !== undefined) return Math.min(waitMsMax, waitMs + chance * 250)
    return Math.min(waitMsMax, 500 * 2 ** attempt) * (0.5 + chance / 2)
  }

  #take({ texts, again }: Batch, answer: ReturnType<typeof readAnswer>): void {
    const { tokensIn, tokensOut } = answer
    const cost = costUsd(this.#options.prices, answer)
    this.#count({ tokensIn, tokensOut, costUsd: cost })
    const share = 1 / texts.length
    const labels = [...answer.labels].map(([id, label]) => ({
      ...{ text: texts[id]!, label, costUsd: cost * share },
      ...{ tokensIn: tokensIn * share, tokensOut: tokensOut * share },
    }))
    this.#judge(labels.length)
    const left = texts.filter((_, id) => !answer.labels.has(id))
    const failed: FailedText[] = []
    if (left.length > 0) {
      if (again + 1 < AGAIN_COUNT_MAX) this.#waiting.push({ texts: left, again: again + 1 })
      else
        failed.push(...left.map((text) => invalid(text, 'The model gave no label for it.', again)))
    }
    this.#hand({ labels, failed })
  }

  /** Half of the texts may be answered where all were not; one alone that is not is the one at fault. */
  #split({ texts, again }: Batch, error: LabelAnswerError): void {
    this.#count({ ...error.usage, costUsd: costUsd(this.#options.prices, error.usage) })
    this.#judge(0)
    if (texts.length === 1) {
      this.#hand({ labels: [], failed: [invalid(texts[0]!, messageOf(error), again)] })
      return
    }
    const middle = Math.ceil(texts.length / 2)
    this.#waiting.push(
      { texts: texts.slice(0, middle), again },
      { texts: texts.slice(middle), again },
    )
  }

  #judge(labelCount: number): void {
    this.#uselessInARow = labelCount > 0 ? 0 : this.#uselessInARow + 1
    if (this.#uselessInARow >= this.#limits.uselessCountMax) this.#status = 'answers_useless'
  }

  #giveUp({ texts }: Batch, error: LabelServiceAwayError, attempts: number): void {
    const message = messageOf(error)
    const reason = 'label_service_away' as const
    this.#hand({ labels: [], failed: texts.map((text) => ({ text, reason, message, attempts })) })
    this.#awayInARow += 1
    if (this.#awayInARow >= this.#limits.awayCountMax) this.#status = 'service_away'
  }

  /** To the writer, in turn. */
  #hand(batch: LabelledBatch): void {
    if (batch.labels.length + batch.failed.length === 0) return
    this.#queued += 1
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#options.write(batch)
        this.#count({ labelled: batch.labels.length, failed: batch.failed.length })
      } finally {
        this.#queued -= 1
      }
    })
    this.#writing.catch((cause) => {
      this.#error ??= { cause }
      this.#stop.abort(cause)
    })
  }

  #count(more: Partial<LabelProgress>): void {
    const next: Record<string, number> = { ...this.#progress }
    for (const [name, value] of Object.entries(more)) next[name] = next[name]! + value
    this.#progress = next as unknown as LabelProgress
    this.#options.onProgress?.(this.#progress)
  }
}

const invalid = (text: string, message: string, again: number): FailedText => ({
  ...{ text, message, attempts: again + 1 },
  reason: 'label_answer_invalid',
})
