import { assert } from '../../model/errors.ts'
import type { Task } from '../../model/task.ts'
import { TaskCycleError } from '../errors.ts'

/** Tasks with what must come before what. */
export interface TaskGraph {
  /** Each after everything that it waits for; otherwise in the order given. */
  readonly tasks: readonly Task[]
  task(id: string): Task | undefined
  /** Ids of the tasks that must have succeeded before, the nearest only. */
  before(id: string): readonly string[]
  /** Ids of the tasks that wait for this one, the nearest only. */
  behind(id: string): readonly string[]
}

/** What a task says it comes after may be a table; then it comes after whatever writes it, but for maintenance, which changes no rows. */
function idsBefore(task: Task, ids: ReadonlySet<string>, writers: Writers): readonly string[] {
  const found = task.after.flatMap((name) => [
    ...(ids.has(name) ? [name] : (writers.get(name) ?? [])),
  ])
  return [...new Set(found)].filter((id) => id !== task.id)
}

type Writers = ReadonlyMap<string, readonly string[]>

/** The graph of some tasks. Pure. @throws TaskCycleError naming a circle of tasks that wait for one another */
export function taskGraph(given: readonly Task[]): TaskGraph {
  const byId = new Map(given.map((task) => [task.id, task]))
  assert(byId.size === given.length, `ids of tasks are unique: ${repeated(given)}`)
  const ids = new Set(byId.keys())
  const writers = new Map<string, string[]>()
  for (const { id, kind, writes } of given) {
    if (kind === 'maintenance') continue
    for (const thing of writes) writers.set(thing, [...(writers.get(thing) ?? []), id])
  }
  const before = new Map(given.map((task) => [task.id, idsBefore(task, ids, writers)]))
  const behind = new Map<string, string[]>(given.map(({ id }) => [id, []]))
  for (const [id, earlier] of before) for (const one of earlier) behind.get(one)!.push(id)
  return {
    tasks: inOrder(given, before),
    task: (id) => byId.get(id),
    before: (id) => before.get(id) ?? [],
    behind: (id) => behind.get(id) ?? [],
  }
}

function inOrder(
  tasks: readonly Task[],
  before: ReadonlyMap<string, readonly string[]>,
): readonly Task[] {
  const done = new Set<string>()
  const ordered: Task[] = []
  let waiting = tasks
  while (waiting.length > 0) {
    const ready = waiting.filter(({ id }) => before.get(id)!.every((earlier) => done.has(earlier)))
    if (ready.length === 0) throw new TaskCycleError(circleIn(waiting, before))
    for (const task of ready) {
      done.add(task.id)
      ordered.push(task)
    }
    waiting = waiting.filter(({ id }) => !done.has(id))
  }
  return ordered
}

/** One circle among tasks all of which wait for another one of them. */
function circleIn(
  waiting: readonly Task[],
  before: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const stuck = new Set(waiting.map(({ id }) => id))
  const trail: string[] = []
  let at = waiting[0]!.id
  while (!trail.includes(at)) {
    trail.push(at)
    at = before.get(at)!.find((id) => stuck.has(id))!
  }
  return [...trail.slice(trail.indexOf(at)), at]
}

const repeated = (tasks: readonly Task[]) =>
  tasks
    .map(({ id }) => id)
    .filter((id, index, all) => all.indexOf(id) !== index)
    .join(', ')
