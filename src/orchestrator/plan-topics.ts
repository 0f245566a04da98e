import { hopsOf } from '../flow/pipeline-hops.ts'
import { topicConfig } from '../flow/topic-config.ts'
import type { IngestRoute } from '../gateway/ingest-route.ts'
import type { Log } from '../log/log.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'

// What pipelines say about topics, as the log and the front door want it.

/** Make the topics that pipelines write and replay to, where they are not there yet. */
export async function ensureTopics(log: Log, plans: readonly PipelinePlan[]): Promise<void> {
  for (const plan of plans) {
    for (const topic of plan.topics) await log.ensureTopic(topicConfig(topic))
    for (const { replayTopic } of hopsOf(plan))
      await log.ensureTopic({ name: replayTopic, partitions: 1 })
  }
}

/** The doors of a pipeline, each with what its topic takes. */
export function ingestRoutes(plan: PipelinePlan): IngestRoute[] {
  return plan.ingests.map(({ path, topic: name, ack }) => {
    const topic = plan.topics.find((t) => t.name === name)!
    return {
      path,
      ack,
      topic: name,
      pipeline: plan.name,
      schema: topic.schema,
      ...(topic.upgrade === undefined ? {} : { upgrade: topic.upgrade }),
      ...(topic.id === undefined ? {} : { idField: topic.id }),
      ...(topic.key === undefined ? {} : { keyField: topic.key }),
    }
  })
}
