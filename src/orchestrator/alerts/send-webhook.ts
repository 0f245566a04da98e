import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../model/errors.ts'
import { type BackOff, backOffMs } from '../../stream/back-off.ts'
import type { Alert } from './alert.ts'

const ATTEMPT_COUNT_MAX = 4
const BACK_OFF: BackOff = { firstMs: 500, maxMs: 5_000 }
/** Whoever is told to be told takes a message within this. */
const ANSWER_MS_MAX = 10_000

/**
 * POST an alert as JSON, again a few times when the other side is away or overloaded. `text` is what chats such as Slack and Mattermost show.
 * Returns why it could not be told, or `undefined`. Never throws, and never says the address, which is a secret.
 */
export async function sendWebhook(
  url: string,
  alert: Alert,
  { atMs, signal }: { readonly atMs: number; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const { key, kind, status, summary, pipeline, facts } = alert
  const text = `${status === 'raised' ? 'Alert' : 'Resolved'}: ${summary}`
  const at = new Date(atMs).toISOString()
  const body = JSON.stringify({ text, ...{ key, kind, status, summary, pipeline, at, facts } })
  // What fetch says of an address that is none repeats it.
  if (!URL.canParse(url)) return 'its address is no URL'
  let why = ''
  for (let attempt = 1; attempt <= ATTEMPT_COUNT_MAX; attempt += 1) {
    if (attempt > 1) {
      const waitMs = backOffMs(BACK_OFF, attempt - 1, Math.random())
      await sleep(waitMs, undefined, { signal }).catch(() => {})
    }
    if (signal.aborted) return why === '' ? 'it was stopped before' : why
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]),
      })
      await response.body?.cancel()
      if (response.ok) return undefined
      why = `it answered ${response.status}`
      if (response.status < 500 && response.status !== 429) return why
    } catch (error) {
      why = messageOf(error)
    }
  }
  return why
}
