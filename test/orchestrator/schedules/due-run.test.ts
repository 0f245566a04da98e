import { describe, expect, test } from 'vitest'
import { dueRun, nextRuns } from '../../../src/orchestrator/schedules/due-run.ts'

const at = (text: string) => Date.parse(`2026-${text}Z`)
const hourly = { cron: '0 * * * *', zone: 'UTC' }

describe('what a schedule owes', () => {
  test.each([
    [
      'nothing before its moment',
      'latest',
      '03-01T10:00',
      '03-01T10:59:59',
      undefined,
      '03-01T10:00',
    ],
    ['the moment itself', 'none', '03-01T10:00', '03-01T11:00', '03-01T11:00', '03-01T11:00'],
    ['a moment just past', 'none', '03-01T10:00', '03-01T11:00:59', '03-01T11:00', '03-01T11:00'],
    ['nothing of what was missed', 'none', '03-01T10:00', '03-01T14:30', undefined, '03-01T14:00'],
    ['the latest only', 'latest', '03-01T10:00', '03-01T14:30', '03-01T14:00', '03-01T14:00'],
    ['each in turn', 'all', '03-01T10:00', '03-01T14:30', '03-01T11:00', '03-01T11:00'],
  ] as const)('%s', (_name, catchUp, handled, now, run, after) => {
    expect(dueRun(hourly, { catchUp, handledMs: at(handled), nowMs: at(now) })).toEqual({
      runMs: run === undefined ? undefined : at(run),
      handledMs: at(after),
    })
  })

  test('in its own zone, over the change to summer time and back', () => {
    const berlin = { cron: '30 2 * * *', zone: 'Europe/Berlin' }
    const iso = (from: string) =>
      nextRuns(berlin, at(from), 3).map((ms) => new Date(ms).toISOString())
    // On 29 March there is no 02:30: it runs right after the gap, and still once.
    expect(iso('03-28T00:00')).toEqual([
      '2026-03-28T01:30:00.000Z',
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ])
    // On 25 October 02:30 comes twice: it runs once.
    expect(iso('10-24T00:00')).toEqual([
      '2026-10-24T00:30:00.000Z',
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ])
  })
})
