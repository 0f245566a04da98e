import type { DeadLetter } from '../../src/model/dead-letter.ts'

/** A letter, ordinary but for what is given. */
export function letterOf(
  parts: Partial<Omit<DeadLetter, 'value'>> & { readonly value?: string } = {},
): DeadLetter {
  const { value = '{"n":"no"}', ...rest } = parts
  return {
    pipeline: 'user-events',
    hop: 'bronze.user_events',
    topic: 'user-events',
    partition: 0,
    offset: 0,
    recordId: 'id-0',
    key: null,
    reason: 'wrong_type',
    message: '/n: Expected a number.',
    headers: { traceparent: '00-1' },
    arrivedMs: 1_700_000_000_000,
    ...rest,
    value: Buffer.from(value),
  }
}
