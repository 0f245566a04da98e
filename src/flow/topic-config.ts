import { avroSchemaOf } from '../log/codec/avro-schema.ts'
import { schemaText } from '../log/codec/value-codec.ts'
import type { TopicConfig } from '../log/log.ts'
import type { TopicPlan } from '../pipeline/plan.ts'

/** A planned topic as the log is told of it; with its schema where its values are coded. Pure. */
export function topicConfig({
  name,
  schema,
  codec,
  partitions,
  retentionMs,
  retentionBytes,
}: TopicPlan): TopicConfig {
  return {
    name,
    partitions,
    ...(codec === undefined ? {} : { valueSchema: schemaText(avroSchemaOf(schema, codec)) }),
    ...(retentionMs === undefined ? {} : { retentionMs }),
    ...(retentionBytes === undefined ? {} : { retentionBytes }),
  }
}
