import type { PipelinePlan, ServePlan, TablePlan } from '../pipeline/plan.ts'

/** A hop of a pipeline, as planned: what it fills and what it reads. */
export type PlannedHop =
  | (HopTopics & { readonly kind: 'table'; readonly table: TablePlan })
  | (HopTopics & { readonly kind: 'serve'; readonly serve: ServePlan })

interface HopTopics {
  /** Of the table or store it fills; unique within the pipeline. */
  readonly name: string
  readonly topic: string
  /** Where its replayed dead letters arrive. */
  readonly replayTopic: string
  /** Name under which its target keeps the cursor. */
  readonly consumer: string
}

/** Every hop of a pipeline that reads the log, tables first. Pure. */
export function hopsOf(plan: PipelinePlan): readonly PlannedHop[] {
  const topicsOf = (name: string, topic: string): HopTopics => ({
    name,
    topic,
    replayTopic: `${topic}.replay.${name}`,
    consumer: `${plan.name}/${name}`,
  })
  return [
    ...plan.tables.map(
      (table): PlannedHop => ({ kind: 'table', table, ...topicsOf(table.name, table.topic) }),
    ),
    ...plan.serves.map(
      (serve): PlannedHop => ({ kind: 'serve', serve, ...topicsOf(serve.name, serve.topic) }),
    ),
  ]
}
