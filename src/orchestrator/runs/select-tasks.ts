import type { Task } from '../../model/task.ts'
import { SelectorError } from '../errors.ts'
import type { TaskGraph } from './task-graph.ts'

/** For help texts. */
export const SELECTOR_HELP =
  'a pipeline, a task or table (with + before: and what it needs; with + after: and what needs it), tag:…, kind:…; * stands for anything'

/**
 * The tasks that selectors name, in order; without any, every task but maintenance, which also a pipeline's name leaves out. With a
 * pipeline, only tasks of it. Pure.
 * @throws SelectorError listing what there is, when a selector names nothing
 */
export function selectTasks(
  graph: TaskGraph,
  selectors: readonly string[],
  pipeline?: string,
): readonly Task[] {
  const eligible = graph.tasks.filter(
    (task) => pipeline === undefined || task.pipeline === pipeline,
  )
  if (selectors.length === 0) return eligible.filter(isWork)
  const chosen = new Set(selectors.flatMap((selector) => idsOf(graph, eligible, selector)))
  return eligible.filter(({ id }) => chosen.has(id))
}

const isWork = ({ kind }: Task) => kind !== 'maintenance'

function idsOf(graph: TaskGraph, among: readonly Task[], selector: string): readonly string[] {
  const upstream = selector.startsWith('+')
  const downstream = selector.endsWith('+')
  const name = selector.slice(upstream ? 1 : 0, downstream ? -1 : undefined)
  const named = namedBy(among, name)
  if (named.length === 0) throw new SelectorError(selector, among)
  return [
    ...named,
    ...(upstream ? reached(named, graph.before) : []),
    ...(downstream ? reached(named, graph.behind) : []),
  ]
}

/** The first reading of a name that finds something: tag or kind, id, pipeline, table that is written, folder or pattern of ids. */
function namedBy(tasks: readonly Task[], name: string): readonly string[] {
  const readings: ((task: Task) => boolean)[] = name.startsWith('tag:')
    ? [({ tags }) => tags.includes(name.slice('tag:'.length))]
    : name.startsWith('kind:')
      ? [({ kind }) => kind === name.slice('kind:'.length)]
      : [
          ({ id }) => id === name,
          (task) => task.pipeline === name && isWork(task),
          (task) => task.writes.includes(name) && isWork(task),
          ({ id }) => id.startsWith(`${name}/`),
          ({ id }) => name.includes('*') && patternOf(name).test(id),
        ]
  for (const fits of readings) {
    const found = tasks.filter(fits)
    if (found.length > 0) return found.map(({ id }) => id)
  }
  return []
}

const patternOf = (name: string) =>
  new RegExp(
    `^${name
      .split('*')
      .map((part) => part.replaceAll(/[.+/]/g, '\\$&'))
      .join('.*')}$`,
  )

function reached(
  from: readonly string[],
  neighbours: (id: string) => readonly string[],
): readonly string[] {
  const found = new Set<string>()
  const waiting = [...from]
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    for (const next of neighbours(id)) {
      if (found.has(next)) continue
      found.add(next)
      waiting.push(next)
    }
  }
  return [...found]
}
