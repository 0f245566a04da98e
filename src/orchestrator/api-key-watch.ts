import { type ApiKeys, apiKeysOf } from '../gateway/api-keys.ts'
import { messageOf } from '../model/errors.ts'
import type { KeyRow } from '../state/key-rows.ts'
import type { StateStore } from '../state/state-store.ts'

/** The API keys in force, as they are made and revoked by other processes. */
export interface ApiKeyWatch {
  /** `undefined` while no key was ever made, which loopback allows. Revoking the last one leaves nobody in. */
  current(): ApiKeys | undefined
  /** Look now: keys that this process has just made or revoked count at once. */
  look(): Promise<void>
  stop(): void
}

/** A revoked key stops working within this. */
const LOOK_INTERVAL_MS = 1_000

export interface ApiKeyWatchOptions {
  readonly state: Pick<StateStore, 'keys'>
  readonly onNotice: (line: string) => void
  readonly intervalMs?: number
}

/**
 * Read the keys, and go on reading them. When the state cannot be read the keys known last stay in force.
 * @throws StateUnavailableError when the first look fails
 */
export async function watchApiKeys(options: ApiKeyWatchOptions): Promise<ApiKeyWatch> {
  const { state, onNotice, intervalMs = LOOK_INTERVAL_MS } = options
  let rows = await state.keys()
  let keys = keysOf(rows)
  let failing = false
  const look = async () => {
    try {
      const now = await state.keys()
      failing = false
      if (JSON.stringify(now) === JSON.stringify(rows)) return
      if (rows.length === 0) onNotice('The first API key was made: requests need one from now on.')
      rows = now
      keys = keysOf(now)
    } catch (error) {
      if (!failing) onNotice(`API keys cannot be read just now: ${messageOf(error)}`)
      failing = true
    }
  }
  const timer = setInterval(() => void look(), intervalMs)
  timer.unref()
  return { current: () => keys, look, stop: () => clearInterval(timer) }
}

function keysOf(rows: readonly KeyRow[]): ApiKeys | undefined {
  if (rows.length === 0) return undefined
  return apiKeysOf(
    rows
      .filter(({ revokedMs }) => revokedMs === null)
      .map(({ name, hash, role, recordsPerSecondMax }) => ({
        ...{ name, hash, role },
        ...(recordsPerSecondMax === null ? {} : { recordsPerSecondMax }),
      })),
  )
}
