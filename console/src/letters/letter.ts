import { post } from '../api.ts'

// Dead letters as the API tells of them.

export type Bytes =
  | { readonly bytes: number; readonly text: string }
  | { readonly bytes: number; readonly base64: string }

export interface Letter {
  readonly id: string
  readonly pipeline: string
  readonly hop: string
  readonly topic: string
  readonly partition: number | null
  readonly offset: number | null
  readonly record_id: string
  readonly key: string | null
  readonly reason: string
  readonly message: string
  readonly status: 'open' | 'fixed' | 'replayed' | 'dropped'
  readonly attempts: number
  readonly first_seen_at: string
  readonly last_seen_at: string
  readonly headers: Readonly<Record<string, string>>
  readonly value: Bytes
  readonly fixed: Bytes | null
  readonly replayed_to: string | null
  readonly note: string | null
}

export interface LetterCount {
  readonly pipeline: string
  readonly hop: string
  readonly reason: string
  readonly status: Letter['status']
  readonly letters: number
}

/** What would become of a letter if it were replayed now. */
export type Preview =
  | { readonly status: 'row'; readonly row: Readonly<Record<string, unknown>> }
  | { readonly status: 'filtered' }
  | { readonly status: 'dead'; readonly reason: string; readonly message: string }
  | { readonly status: 'impossible'; readonly message: string }

/** Letters of one cause: what the page is about at the moment. */
export interface Cause {
  readonly pipeline?: string
  readonly hop?: string
  readonly reason?: string
}

const CAUSE = ['pipeline', 'hop', 'reason'] as const

export const causeOf = (query: URLSearchParams): Cause =>
  Object.fromEntries(
    CAUSE.flatMap((name) => {
      const value = query.get(name)
      return value === null ? [] : [[name, value]]
    }),
  )

/** The place of a cause in the console. */
export const placeOfCause = (cause: Cause, status?: string): string => {
  const query = new URLSearchParams({ ...cause, ...(status === undefined ? {} : { status }) })
  return query.size === 0 ? 'dead-letters' : `dead-letters?${query}`
}

export const isOf = (cause: Cause, one: Required<Cause>): boolean =>
  CAUSE.every((name) => cause[name] === undefined || cause[name] === one[name])

export const textOf = (bytes: Bytes): string => ('text' in bytes ? bytes.text : bytes.base64)

/** Where a letter was in the log. */
export const positionOf = ({ topic, partition, offset }: Letter): string =>
  offset === null ? topic : `${topic}/${partition}/${offset}`

export interface BulkAnswer {
  readonly letters: number
  readonly outcomes: Readonly<Record<string, number>>
  readonly refused: readonly { readonly id: string; readonly message: string }[]
  readonly more: boolean
}

export const bulk = (body: Readonly<Record<string, unknown>>): Promise<BulkAnswer> =>
  post<BulkAnswer>('/v1/dead-letters/bulk', body)
