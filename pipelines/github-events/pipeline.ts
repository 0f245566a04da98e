import {
  arrivalTime,
  avro,
  day,
  field,
  isoText,
  pipeline,
  recordOffset,
  recordPartition,
  traceId,
} from 'mekong'
import { githubEventsDashboard } from './dashboard.ts'
import { archive } from './loader.ts'
import { hourlyModels, maintenance } from './models.ts'
import { upgradeOlderEvent } from './older-events.ts'
import { GitHubEvent } from './schema.ts'
import { simulator } from './simulator.ts'

const DAY_MS = 86_400_000

/** Public events on GitHub: from a POST to an Iceberg table, and by the hour to a profile of every user's day. */
export default pipeline('github-events', (p) => {
  const events = p.topic('github-events', {
    value: GitHubEvent,
    id: 'id',
    key: 'repo.id',
    codec: avro({ name: 'GitHubEvent', namespace: 'com.github.events' }),
    upgrade: upgradeOlderEvent,
    partitions: 3,
    retention: { days: 7, gigabytes: 1 },
  })
  p.ingest('/collect', events)

  p.table('bronze.github_events', {
    from: events.select((e) => ({
      id: e.id,
      type: e.type,
      actor_id: field(e.actor, 'id'),
      actor_login: field(e.actor, 'login'),
      actor_gravatar_id: field(e.actor, 'gravatar_id'),
      actor_url: field(e.actor, 'url'),
      actor_avatar_url: field(e.actor, 'avatar_url'),
      repo_id: field(e.repo, 'id'),
      repo_name: field(e.repo, 'name'),
      repo_url: field(e.repo, 'url'),
      payload: e.payload,
      public: e.public,
      created_at: isoText(e.created_at),
      ingestion_timestamp: arrivalTime(),
      kafka_partition: recordPartition(),
      kafka_offset: recordOffset(),
      trace_id: traceId(),
    })),
    format: 'iceberg',
    partitionBy: day('ingestion_timestamp', { as: 'ingestion_date' }),
    // The columns hold all of an event that is carried on.
    keepRaw: false,
    properties: {
      'write.target-file-size-bytes': String(20 * 1024 * 1024),
      'write.distribution-mode': 'none',
      'write.spark.fanout.enabled': 'true',
      'write.metadata.compression-codec': 'gzip',
      'write.metadata.metrics.default': 'truncate(16)',
      // As the weekly expiry below; another engine that expires keeps the same.
      'history.expire.min-snapshots-to-keep': '5',
      'history.expire.max-snapshot-age-ms': String(7 * DAY_MS),
    },
  })

  hourlyModels(p)
  maintenance(p)
  p.queries(new URL('./queries/', import.meta.url))
  p.dashboard(githubEventsDashboard)
  p.simulate(simulator)
  p.load(archive)
})
