import type { ObjectStore } from '../../model/object-store.ts'
import type { SqliteCatalog } from './sqlite-catalog.ts'

// What the parts of the REST server hand to one another.

/** What the server is made of. */
export interface RestServerOptions {
  readonly catalog: SqliteCatalog
  readonly store: ObjectStore
  /** A UUID. */
  readonly newId: () => string
  readonly nowMs: () => number
  /** Namespaces that are there before anything is in them. Default: none. */
  readonly namespaces?: readonly string[]
  /** How clients reach the files of the tables. Default: as they know themselves. */
  readonly storage?: ClientStorage
}

/** In the words of the protocol's clients: `s3.endpoint`, `client.region`, `s3.access-key-id`, … */
export interface ClientStorage {
  /** For every client, which may have others of its own: it may reach the store by another name. Nothing secret. */
  readonly defaults: Readonly<Record<string, string>>
  /** Only for those that are given them; `undefined` when nobody is. */
  readonly credentials?: Readonly<Record<string, string>>
}

/** What a client asks. */
export interface RestRequest {
  readonly method: string
  /** Decoded segments after `/v1/`. */
  readonly segments: readonly string[]
  readonly query: URLSearchParams
  readonly body: string
  /** Whether the client asked for credentials (`X-Iceberg-Access-Delegation: vended-credentials`), and may have them. */
  readonly isGivenCredentials: boolean
}

/** What the REST server says. */
export interface RestAnswer {
  readonly status: number
  /** `undefined` for an answer without a body. Ids are bigint. */
  readonly value: unknown
}

/** What the protocol calls its errors; clients decide by these. */
export class Refusal extends Error {
  readonly status: number
  readonly type: string

  constructor(status: number, type: string, message: string) {
    super(message)
    this.status = status
    this.type = type
  }
}

export const failed = (status: number, type: string, message: string): RestAnswer => ({
  status,
  value: { error: { message, type, code: status } },
})

export const done = (value: unknown): RestAnswer => ({ status: 200, value })
export const NOTHING: RestAnswer = { status: 204, value: undefined }
