import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SelectorError, TaskCycleError } from '../../../src/orchestrator/errors.ts'
import { selectTasks } from '../../../src/orchestrator/runs/select-tasks.ts'
import { taskGraph } from '../../../src/orchestrator/runs/task-graph.ts'
import { madeTask } from './made-task.ts'

const graph = taskGraph([
  madeTask('gold.activity', { kind: 'model', after: ['silver.events'], tags: ['hourly'] }),
  madeTask('silver.events', { kind: 'model', after: ['bronze.events'], writes: ['silver.events'] }),
  madeTask('publish/activity', { kind: 'publish', after: ['gold.activity'] }),
  madeTask('maintain/silver.events/compact', { kind: 'maintenance', writes: ['silver.events'] }),
  madeTask('files/log', { kind: 'files', pipeline: 'ott', writes: ['bronze.log'] }),
  madeTask('gold.stats', { kind: 'model', pipeline: 'ott', after: ['bronze.log'] }),
])
const select = (...selectors: string[]) => selectTasks(graph, selectors).map(({ id }) => id)

describe('selectors', () => {
  test.each([
    [[], ['silver.events', 'files/log', 'gold.activity', 'gold.stats', 'publish/activity']],
    [['gold.activity'], ['gold.activity']],
    [['+gold.activity'], ['silver.events', 'gold.activity']],
    [['gold.activity+'], ['gold.activity', 'publish/activity']],
    [['+gold.activity+'], ['silver.events', 'gold.activity', 'publish/activity']],
    [['ott'], ['files/log', 'gold.stats']],
    [['bronze.log+'], ['files/log', 'gold.stats']],
    [['tag:hourly'], ['gold.activity']],
    [['kind:maintenance'], ['maintain/silver.events/compact']],
    [['maintain/silver.events'], ['maintain/silver.events/compact']],
    [['gold.*'], ['gold.activity', 'gold.stats']],
    [
      ['publish/activity', 'tag:hourly'],
      ['gold.activity', 'publish/activity'],
    ],
  ])('%j', (selectors, chosen) => {
    expect(select(...selectors)).toEqual(chosen)
  })

  test('one that names nothing says what there is', () => {
    expect(() => select('gold.activty')).toThrow(SelectorError)
    expect(() => select('gold.activty')).toThrow(/gold\.activity.*river.*tag:hourly.*kind:model/s)
  })
})

describe('the graph', () => {
  test('a circle is named', () => {
    const circle = () =>
      taskGraph([
        madeTask('a', { after: ['c'] }),
        madeTask('b', { after: ['a'] }),
        madeTask('c', { after: ['b'] }),
      ])
    expect(circle).toThrow(TaskCycleError)
    expect(circle).toThrow(/a after c after b after a/)
  })

  test('any graph without circles comes out in an order that it allows', () => {
    const edges = fc.uniqueArray(fc.tuple(fc.nat(14), fc.nat(14)), { maxLength: 40 })
    fc.assert(
      fc.property(
        edges,
        fc.shuffledSubarray([...Array(15).keys()], { minLength: 15 }),
        (all, order) => {
          const tasks = order.map((index) =>
            madeTask(`t${index}`, {
              after: all.flatMap(([from, to]) => (to === index && from < to ? [`t${from}`] : [])),
            }),
          )
          const ordered = taskGraph(tasks).tasks
          expect(ordered).toHaveLength(tasks.length)
          const place = new Map(ordered.map(({ id }, at) => [id, at]))
          for (const { id, after } of tasks)
            for (const earlier of after) expect(place.get(earlier)!).toBeLessThan(place.get(id)!)
        },
      ),
    )
  })
})
