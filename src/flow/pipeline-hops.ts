import type { PipelinePlan, ServePlan, TablePlan } from '../pipeline/plan.ts'

/** A hop of a pipeline, as planned: what it fills and what it reads. */
export type PlannedHop =
  | (HopTopics & { readonly kind: 'table'; readonly table: TablePlan })
  | (HopTopics & { readonly kind: 'serve'; readonly serve: ServePlan })

interface HopTopics {
  /** Of the table or store it fills; unique within the pipeline. */
  readonly name: string
  readonly topic: string
  /** Topics of the same schema that it reads as well. */
  readonly alsoTopics: readonly string[]
  /** Where its replayed dead letters arrive. */
  readonly replayTopic: string
  /** Name under which its target keeps the cursor. */
  readonly consumer: string
}

/** Every hop of a pipeline that reads the log, tables first. Pure. */
export function hopsOf(plan: PipelinePlan): readonly PlannedHop[] {
  const topicsOf = ({ name, topic, alsoTopics }: TablePlan | ServePlan): HopTopics => ({
    name,
    topic,
    alsoTopics,
    replayTopic: `${topic}.replay.${name}`,
    consumer: `${plan.name}/${name}`,
  })
  return [
    ...plan.tables.map((table): PlannedHop => ({ kind: 'table', table, ...topicsOf(table) })),
    ...plan.serves.map((serve): PlannedHop => ({ kind: 'serve', serve, ...topicsOf(serve) })),
  ]
}

/** Every topic that a hop reads; the one of replayed letters is last. */
export const topicsReadBy = (hop: HopTopics): readonly string[] => [
  hop.topic,
  ...hop.alsoTopics,
  hop.replayTopic,
]
