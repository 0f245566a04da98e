import { messageOf, PlatformError } from '../../model/errors.ts'

/** The chat endpoint did not give an answer: away, overloaded, or not willing. What was found without it still stands. */
export class AnswerUnavailableError extends PlatformError {
  readonly code = 'ANSWER_UNAVAILABLE'
  readonly retry = 'later'
}

export interface ChatEndpoint {
  /** Up to, and without, `/chat/completions`. */
  readonly url: string
  readonly model: string
  readonly apiKey: { reveal(): string } | null
}

/** A person waits for it. */
const TIMEOUT_MS = 30_000
/** A paragraph or two. */
const TOKENS_MAX = 500

/**
 * One answer of any endpoint that speaks OpenAI's chat completions, at temperature 0. Not tried again: the one who asked is waiting.
 * @throws AnswerUnavailableError
 */
export async function chatCompletion(
  { url, model, apiKey }: ChatEndpoint,
  messages: readonly { readonly role: string; readonly content: string }[],
  signal?: AbortSignal,
): Promise<string> {
  const address = `${url.replace(/\/$/, '')}/chat/completions`
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  let trouble: string
  try {
    const response = await fetch(address, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey.reveal()}` }),
      },
      body: JSON.stringify({ model, messages, temperature: 0, max_tokens: TOKENS_MAX }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    })
    if (response.ok) {
      const { choices } = (await response.json()) as {
        choices?: { message?: { content?: unknown } }[]
      }
      const content = choices?.[0]?.message?.content
      if (typeof content === 'string' && content !== '') return content
      trouble = 'its answer holds no text'
    } else trouble = `it answered ${response.status}`
  } catch (error) {
    signal?.throwIfAborted()
    trouble = messageOf(error)
  }
  throw new AnswerUnavailableError(`${address} gave no answer: ${trouble}.`)
}
