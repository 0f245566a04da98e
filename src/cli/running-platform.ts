import { messageOf } from '../model/errors.ts'
import type { RunningPlatform } from '../orchestrator/home.ts'
import type { CommandContext } from './command.ts'
import { PlatformRefusedError, PlatformSilentError } from './errors.ts'

export interface PlatformQuestion {
  readonly method?: 'GET' | 'POST'
  /** With its slash, parameters and query. */
  readonly path: string
  readonly body?: unknown
}

/** An answer: what was asked for, or a problem document (RFC 9457). */
export type PlatformAnswer =
  | { readonly ok: true; readonly body: unknown }
  | { readonly ok: false; readonly problem: Readonly<Record<string, unknown>> }

const ANSWER_MS_MAX = 60_000

/**
 * Ask the platform that runs on a home, over its API. The key comes from MEKONG_API_KEY.
 * @throws PlatformRefusedError when the key is missing, unknown or may not, PlatformSilentError
 */
export async function askPlatform(
  { url, pid }: RunningPlatform,
  { variables, signal }: Pick<CommandContext, 'variables' | 'signal'>,
  { method = 'GET', path, body }: PlatformQuestion,
): Promise<PlatformAnswer> {
  const key = variables.MEKONG_API_KEY
  let response: Response
  let answer: unknown
  try {
    response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(key === undefined || key === '' ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]),
    })
    answer = await response.json()
  } catch (cause) {
    signal.throwIfAborted()
    throw new PlatformSilentError(
      `The platform at ${url} (process ${pid}) did not answer: ${messageOf(cause)}. It may be starting or stopping; try again.`,
      { cause },
    )
  }
  if (response.ok) return { ok: true, body: answer }
  const problem = answer as Readonly<Record<string, unknown>>
  if (response.status === 401) {
    throw new PlatformRefusedError(
      `The platform at ${url} wants an API key${key === undefined || key === '' ? '' : ', and does not know the one in MEKONG_API_KEY'}. Make one with "mekong keys create NAME" and set MEKONG_API_KEY.`,
      String(problem.code),
    )
  }
  if (problem.code === 'role_insufficient')
    throw new PlatformRefusedError(String(problem.detail), problem.code)
  return { ok: false, problem }
}

/** The answer, or the problem thrown. @throws PlatformRefusedError, PlatformSilentError */
export async function askedOf<T>(...question: Parameters<typeof askPlatform>): Promise<T> {
  const answer = await askPlatform(...question)
  if (answer.ok) return answer.body as T
  throw new PlatformRefusedError(String(answer.problem.detail), String(answer.problem.code))
}
