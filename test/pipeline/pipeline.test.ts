import {
  type Body,
  concat,
  dashboard,
  day,
  int32,
  liveMeasures,
  liveSparklines,
  lower,
  PlanError,
  pipeline,
  postgres,
  processingTime,
  type Row,
  record,
  text,
  timestamp,
} from 'mekong'
import { describe, expect, expectTypeOf, test } from 'vitest'
import userEvents from '../../pipelines/user-events/pipeline.ts'
import { UserEvent } from '../../pipelines/user-events/schema.ts'

const migrations = new URL('./migrations/', import.meta.url)

function problemsOf(describePipeline: () => unknown) {
  try {
    describePipeline()
  } catch (error) {
    if (error instanceof PlanError)
      return error.problems.map((p) => `${p.where}: ${p.what}. ${p.fix}`)
    throw error
  }
  return []
}

describe('the user-events plan', () => {
  test('says where a record goes', () => {
    expect(userEvents.topics.map((t) => [t.name, t.key, t.id, t.partitions])).toEqual([
      ['user-events', 'user_id', 'event_id', 3],
    ])
    expect(userEvents.tables.map((t) => [t.name, t.topic, t.partitionBy?.as])).toEqual([
      ['bronze.user_events', 'user-events', 'event_date'],
    ])
    expect(userEvents.serves.map((s) => [s.name, s.columns.map((c) => c.name)])).toEqual([
      [
        'postgres.user_events',
        ['user_id', 'movie_id', 'event_type', 'event_timestamp', 'processed_at'],
      ],
    ])
  })

  test('cannot be changed', () => {
    expect(() => {
      ;(userEvents.topics as unknown[]).push('more')
    }).toThrow(TypeError)
    expect(() => {
      ;(userEvents.topics[0] as { partitions: number }).partitions = 4
    }).toThrow(TypeError)
  })
})

describe('types flow from the POST body to the row in the store', () => {
  test('the body, the row, and what steps see', () => {
    expectTypeOf<Body<typeof UserEvent>>().toEqualTypeOf<{
      user_id: number
      movie_id: number
      event_type: string
      timestamp: number | bigint
      event_id?: string | null
    }>()
    expectTypeOf<Row<typeof UserEvent>>().toEqualTypeOf<{
      user_id: number
      movie_id: number
      event_type: string
      timestamp: bigint
      event_id: string | null
    }>()
  })

  // Each line below compiles only because its mistake is expected: remove the mistake and the type check fails.
  test('a misspelt, missing, extra or wrongly typed column does not compile, and is a plan error without types', () => {
    const target = postgres('t', {
      columns: record({ user_id: int32(), kind: text() }),
      migrations,
    })
    const problems = problemsOf(() =>
      pipeline('p', (p) => {
        const events = p.topic('events', { value: UserEvent })
        const short = events.select((e) => ({ user_id: e.user_id }))
        const wrong = events.select((e) => ({ user_id: e.event_type, kind: e.event_type }))
        const extra = events.select((e) => ({
          user_id: e.user_id,
          kind: e.event_type,
          n: e.movie_id,
        }))
        const nulls = events.select((e) => ({ user_id: e.user_id, kind: e.event_id }))
        // @ts-expect-error kind is missing
        p.serve(short, target)
        // @ts-expect-error user_id is a text
        p.serve(wrong, target)
        // @ts-expect-error there is no column n
        p.serve(extra, target)
        // @ts-expect-error kind may be null
        p.serve(nulls, target)
        // @ts-expect-error no such column
        events.where((e) => e.user_idd ?? e.user_id.isNull())
        // @ts-expect-error a number is not compared with a text
        events.where((e) => e.user_id.eq('one'))
        // @ts-expect-error no such field
        p.topic('others', { value: UserEvent, key: 'nobody' })
        // @ts-expect-error no such column
        p.table('bronze.t', { from: events, partitionBy: day('nothing') })
        // @ts-expect-error the step returns another row than it says
        events.map(record({ n: int32() }), (row) => ({ n: row.event_type }))
      }),
    )
    expect(problems).toContain(
      'p / serve postgres.t: gets no column "kind". The stream has user_id',
    )
    expect(problems).toContain(
      'p / serve postgres.t: takes int32 in "user_id", and the stream has string. Change the schema of one of them',
    )
    expect(problems).toContain(
      'p / serve postgres.t: has no column for n. Select only what the table takes',
    )
    expect(problems).toContain(
      'p / serve postgres.t: takes no null in "kind", and the stream may have one. Use orElse(…) or make the column optional',
    )
    expect(problems.some((p) => p.includes('names "nobody" as its key'))).toBe(true)
    expect(problems.some((p) => p.includes('"nothing", which it does not have'))).toBe(true)
  })

  test('what fits compiles', () => {
    const target = postgres('t', {
      columns: record({ who: text(), at: timestamp(), n: int32() }),
      migrations,
    })
    const plan = pipeline('p', (p) => {
      const events = p.topic('events', { value: UserEvent })
      p.serve(
        events
          .where((e) => e.user_id.gt(10))
          .filter((row) => row.movie_id % 2 === 0)
          .map(record({ who: text(), n: int32() }), (row) => ({
            who: row.event_type,
            n: row.movie_id,
          }))
          .select((e) => ({ who: lower(concat(e.who, '!')), at: processingTime(), n: e.n })),
        target,
      )
    })
    expect(plan.serves[0]!.steps.map((s) => s.kind)).toEqual(['where', 'filter', 'map', 'select'])
  })
})

describe('a plan that cannot work is refused with every problem', () => {
  test('names, repeats, partitions, paths', () => {
    const problems = problemsOf(() =>
      pipeline('Bad Name', (p) => {
        const value = record({ a: int32() })
        const topic = p.topic('Events', { value, partitions: 0 })
        p.topic('Events', { value, retention: { days: -1 } })
        p.ingest('events', topic)
        p.ingest('/metrics', topic)
        p.table('nolayer', { from: topic })
        p.table('bronze.t', { from: topic, partitionBy: day('a') })
      }),
    )
    expect(problems).toEqual([
      'Bad Name: "Bad Name" is no pipeline name. Use kebab-case, such as "user-events"',
      'Bad Name / topic Events: is declared twice. Give each a name of its own',
      'Bad Name / topic Events: is no topic name. Use kebab-case, such as "user-events"',
      'Bad Name / topic Events: cannot have 0 partitions. Use 1 to 1024',
      'Bad Name / topic Events: is no topic name. Use kebab-case, such as "user-events"',
      'Bad Name / topic Events: retention.days must be above zero. Leave it out to keep everything',
      'Bad Name / ingest events: is no path. Begin with / and use letters, digits, - and _',
      "Bad Name / ingest /metrics: is one of the platform's own paths. Choose another one",
      'Bad Name / table nolayer: is no table name. Use layer.name in snake_case, the layer bronze, silver or gold',
      'Bad Name / table bronze.t: is partitioned by the day of "a", which is a int32. Use an instant',
    ])
  })

  test('live parts of a dashboard that show what is not kept, and words that are not said', () => {
    const problems = problemsOf(() =>
      pipeline('p', (p) => {
        p.dashboard(
          dashboard('Page', [], {
            live: [
              liveMeasures('sales', { total: 'Total' }),
              liveSparklines('Surges', {
                ...{ collection: 'surges', label: ['name'], history: 'past', value: 'now' },
                empty: 'None.',
              }),
            ],
            words: { vi: { Page: 'Trang', Other: 'Khác' } },
          }),
        )
      }),
    )
    expect(problems).toEqual([
      'p / dashboard Page: translates "Other" to vi, which it does not say. Take the text out, or say it as the dashboard does',
      'p / live measures: shows aggregates "sales". There are: none',
      'p / live sparklines: shows documents "surges". There are: none',
    ])
  })

  test('columns that are there twice, but for their case, or that the platform owns', () => {
    const problems = problemsOf(() =>
      pipeline(
        'p',
        (p) => void p.topic('t', { value: record({ a: int32(), A: int32(), _offset: int32() }) }),
      ),
    )
    expect(problems.filter((p) => p.includes('twice'))).toHaveLength(2)
  })
})
