import type { Task } from '../model/task.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import { hopsOf } from './pipeline-hops.ts'

/** Where records come from, lie, and go: the platform as a graph. Pure. */
export interface River {
  readonly nodes: readonly RiverNode[]
  readonly edges: readonly RiverEdge[]
}

export interface RiverNode {
  /** Unique in the platform. */
  readonly id: string
  readonly pipeline: string
  readonly kind: 'door' | 'files' | 'topic' | 'table' | 'model' | 'store' | 'step'
  /** As people know it: a path, a topic, `layer.table`, a store's table. */
  readonly name: string
  /** Its line in the ledger, where it has one: the hop that fills it from a topic, or what follows a table. */
  readonly hop?: string
  /** The task that fills it, where one does. */
  readonly task?: string
}

export interface RiverEdge {
  readonly from: string
  readonly to: string
}

/** Doors, topics, tables and stores of every pipeline, with what flows between. Maintenance moves no records, so it is not in it. */
export function riverOf(plans: readonly PipelinePlan[], tasks: readonly Task[]): River {
  const nodes = new Map<string, RiverNode>()
  const edges = new Map<string, RiverEdge>()
  const add = (node: RiverNode) => {
    if (!nodes.has(node.id)) nodes.set(node.id, node)
    return node.id
  }
  const link = (from: string, to: string) => {
    if (from !== to) edges.set(`${from} → ${to}`, { from, to })
  }
  for (const plan of plans) addStreams(plan, add, link)
  const moving = tasks.filter(({ kind }) => kind !== 'maintenance')
  for (const task of moving) for (const node of nodesOf(task)) add(node)
  const written = new Map(
    moving.flatMap((task) => task.writes.map((name) => [name, task] as const)),
  )
  for (const task of moving) {
    for (const read of task.after) {
      const source = written.get(read) ?? tasks.find(({ id }) => id === read)
      const from = source === undefined ? [read] : nodesOf(source).map(({ id }) => id)
      for (const own of nodesOf(task)) for (const id of from) if (nodes.has(id)) link(id, own.id)
    }
  }
  const known = [...edges.values()].filter(({ from, to }) => nodes.has(from) && nodes.has(to))
  return { nodes: [...nodes.values()], edges: known }
}

type Add = (node: RiverNode) => string
type Link = (from: string, to: string) => void

function addStreams(plan: PipelinePlan, add: Add, link: Link): void {
  const pipeline = plan.name
  const topicId = (topic: string) => `topic ${topic}`
  for (const { name } of plan.topics) add({ id: topicId(name), pipeline, kind: 'topic', name })
  for (const { path, topic } of plan.ingests) {
    link(add({ id: `door ${path}`, pipeline, kind: 'door', name: path }), topicId(topic))
  }
  for (const hop of hopsOf(plan)) {
    const isTable = hop.kind === 'table'
    const id = add({
      id: hop.name,
      ...{ pipeline, kind: isTable ? 'table' : 'store', name: hop.name, hop: hop.name },
    })
    const { topic, alsoTopics } = isTable ? hop.table : hop.serve
    for (const each of [topic, ...alsoTopics]) link(topicId(each), id)
  }
  for (const { from, collection } of plan.documents) {
    const name = `documents ${collection.name}`
    const hop = `documents.${collection.name}`
    link(from, add({ id: name, pipeline, kind: 'store', name: collection.name, hop }))
  }
  for (const { from, name } of plan.aggregates)
    link(
      from,
      add({
        ...{ id: `aggregates ${name}`, pipeline, kind: 'store', name: `${name} aggregates` },
        hop: `aggregates.${name}`,
      }),
    )
  for (const { name, table } of plan.files) {
    const id = add({ id: `files ${pipeline}/${name}`, pipeline, kind: 'files', name })
    link(id, add({ id: table, pipeline, kind: 'table', name: table }))
  }
}

function nodesOf(task: Task): readonly RiverNode[] {
  const { id, pipeline, kind, writes } = task
  if (kind === 'model' || kind === 'files')
    return writes.map((name) => ({ id: name, pipeline, kind: 'model', name, task: id }))
  if (kind === 'step') return [{ id, pipeline, kind: 'step', name: id, task: id }]
  const names = writes.length === 0 ? [id] : writes
  return names.map((name) => ({ id: name, pipeline, kind: 'store', name, task: id }))
}
