import type { MessagePort, Transferable, Worker } from 'node:worker_threads'
import { InvariantError, messageOf, PlatformError } from '../model/errors.ts'
import {
  LogCorruptError,
  LogLockedError,
  LogUnavailableError,
  LogVersionError,
  TopicMismatchError,
  TopicMissingError,
} from './errors.ts'
import { diskTrouble, sqliteCode } from './sqlite-errors.ts'

// Calling functions on another thread: a numbered request, a numbered reply. Errors cross as code
// and text and become the same error again.

/**
 * The functions a thread offers: one argument that can be cloned, one result, or a promise of it.
 */
// biome-ignore lint/suspicious/noExplicitAny: the argument's type is the function's own affair
export type ThreadFunctions = Record<string, (argument: any) => unknown>

/** A result whose buffers move to the caller instead of being copied. */
export class Moved<T> {
  readonly value: T
  readonly buffers: readonly ArrayBuffer[]

  constructor(value: T, buffers: readonly ArrayBuffer[]) {
    this.value = value
    this.buffers = buffers
  }
}

type ResultOf<F extends (...args: never) => unknown> =
  Awaited<ReturnType<F>> extends Moved<infer T> ? T : Awaited<ReturnType<F>>

interface Request {
  readonly call: number
  readonly name: string
  readonly argument: unknown
}

interface Reply {
  readonly call: number
  readonly value?: unknown
  readonly failure?: { readonly code: string | null; readonly message: string }
}

/** On the thread: answer calls until the thread ends. */
export function serveCalls(port: MessagePort, functions: ThreadFunctions): void {
  port.on('message', async ({ call, name, argument }: Request) => {
    try {
      // Synchronous functions are answered in the same turn, without a detour over the microtask
      // queue.
      const result = functions[name]!(argument)
      const value = result instanceof Promise ? await result : result
      if (value instanceof Moved) port.postMessage({ call, value: value.value }, [...value.buffers])
      else port.postMessage({ call, value })
    } catch (error) {
      port.postMessage({ call, failure: failureOf(error) })
    }
  })
}

/** On the main thread: calls functions of a worker. */
export class ThreadCaller<F extends ThreadFunctions> {
  readonly #worker: Worker
  readonly #waiting = new Map<
    number,
    { resolve(value: unknown): void; reject(error: unknown): void }
  >()
  #call = 0
  #ended: LogUnavailableError | null = null

  constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', (reply: Reply) => {
      const waiting = this.#waiting.get(reply.call)!
      this.#waiting.delete(reply.call)
      if (reply.failure === undefined) waiting.resolve(reply.value)
      else waiting.reject(errorOf(reply.failure))
    })
    worker.on('error', (error) => this.#end(error))
    worker.on('exit', () => this.#end(undefined))
  }

  call<N extends keyof F & string>(
    name: N,
    argument: Parameters<F[N]>[0],
    move: readonly Transferable[] = [],
  ): Promise<ResultOf<F[N]>> {
    if (this.#ended !== null) return Promise.reject(this.#ended)
    this.#call += 1
    const call = this.#call
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve: resolve as (value: unknown) => void, reject })
      this.#worker.postMessage({ call, name, argument } satisfies Request, move)
    })
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate()
  }

  #end(cause: unknown): void {
    this.#ended ??= new LogUnavailableError(
      "The log's thread has ended. What was not yet acknowledged may or may not be stored; restart the platform.",
      { cause },
    )
    for (const { reject } of this.#waiting.values()) reject(this.#ended)
    this.#waiting.clear()
  }
}

function failureOf(error: unknown): NonNullable<Reply['failure']> {
  if (error instanceof PlatformError) return { code: error.code, message: error.message }
  const trouble = diskTrouble(error)
  if (trouble !== null)
    return { code: 'LOG_UNAVAILABLE', message: `The log cannot be used: ${trouble}.` }
  if (sqliteCode(error) !== null)
    return { code: 'LOG_CORRUPT', message: `The log's file is damaged: ${messageOf(error)}.` }
  return { code: null, message: messageOf(error) }
}

const ERRORS: Record<string, new (message: string) => PlatformError> = {
  LOG_TOPIC_MISSING: TopicMissingError,
  LOG_TOPIC_MISMATCH: TopicMismatchError,
  LOG_UNAVAILABLE: LogUnavailableError,
  LOG_LOCKED: LogLockedError,
  LOG_VERSION: LogVersionError,
  LOG_CORRUPT: LogCorruptError,
}

function errorOf({ code, message }: NonNullable<Reply['failure']>): PlatformError {
  const Known = code === null ? undefined : ERRORS[code]
  return Known === undefined ? new InvariantError(message) : new Known(message)
}
