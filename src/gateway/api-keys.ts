import { createHash, timingSafeEqual } from 'node:crypto'
import type { Role } from '../model/access.ts'
import type { Randomness } from '../model/clock.ts'

/** Who may talk to the gateway. Where the keys are kept is the caller's business; only hashes need to be. */
export interface ApiKeys {
  /** The identity behind a presented key, or `undefined`. Takes equally long for a near miss and a far one. */
  verify(presented: string): Promise<KeyIdentity | undefined>
  /** The identity of a key in force by its name; for sessions, which end with their key. */
  named(name: string): KeyIdentity | undefined
}

export interface KeyIdentity {
  /** Shown in logs and metrics; never the key. */
  readonly name: string
  /** What it may. */
  readonly role: Role
  /** Records per second this key may send, on average, with bursts of one second; `undefined` is no limit. */
  readonly recordsPerSecondMax?: number
  /** Of the console's session that asks in the key's stead, its public id. */
  readonly session?: string
}

/** A key as it is kept. */
export interface StoredApiKey extends KeyIdentity {
  /** `sha256:` and 64 hex digits. */
  readonly hash: string
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/

/** Whether a key can be called so. */
export const isKeyName = (name: string): boolean => NAME.test(name)

export const KEY_NAME_RULE =
  'A name has 1 to 64 letters, digits, dots, dashes and underscores, and begins with a letter or digit.'

const KEY_BYTES = 32
const PREFIX = 'mk_'

/**
 * A new key of 256 random bits, and its form for keeping. The key itself is shown once and kept nowhere.
 */
export function createApiKey(
  randomness: Randomness,
  identity: KeyIdentity,
): { readonly key: string; readonly stored: StoredApiKey } {
  const secret = Buffer.from(randomness.bytes(new Uint8Array(KEY_BYTES)))
  const key = PREFIX + secret.toString('base64url')
  return { key, stored: { ...identity, hash: hashApiKey(key) } }
}

/**
 * The hash that is kept instead of a key. Plain SHA-256 is right here, and scrypt would be waste: slow
 * hashes make guessing a person's password dear, but nobody guesses 256 random bits, and this runs for every request.
 */
export function hashApiKey(key: string): string {
  return `sha256:${digestOf(key).toString('hex')}`
}

/** Keys held in memory. */
export function apiKeysOf(keys: readonly StoredApiKey[]): ApiKeys {
  const known = keys.map((stored) => ({
    identity: stored as KeyIdentity,
    digest: Buffer.from(stored.hash.replace(/^sha256:/, ''), 'hex'),
  }))
  return {
    async verify(presented) {
      const digest = digestOf(presented)
      let found: KeyIdentity | undefined
      // Every key is compared, so that the time taken says nothing about which one came close.
      for (const { identity, digest: stored } of known) {
        if (stored.length === digest.length && timingSafeEqual(stored, digest)) found = identity
      }
      return found
    },
    named: (name) => known.find(({ identity }) => identity.name === name)?.identity,
  }
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
