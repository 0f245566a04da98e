import {
  accepted,
  expression,
  freshness,
  merge,
  notNull,
  type PipelineBuilder,
  partitions,
  sortBy,
  unique,
  zOrder,
} from 'mekong'
import { activityTests, parsedTests } from './model-tests.ts'

const HOUR_MS = 3_600_000
const TARGET_BYTES = 20_480_000

const CATEGORIES = [
  'code_change',
  'pull_request',
  'issue',
  'social',
  'repo_management',
  'release',
  'other',
]
const EVENT_TYPES = [
  'Push',
  'PullRequest',
  'Issues',
  'Watch',
  'Fork',
  'Create',
  'Delete',
  'Release',
  'IssueComment',
  'Member',
  'PullRequestReview',
  'PullRequestReviewComment',
  'CommitComment',
  'Gollum',
  'Public',
].map((name) => `${name}Event`)

/** From bronze to a profile of every user's day, by the hour; each model reads what the one before has committed since. */
export function hourlyModels(p: PipelineBuilder): void {
  p.model('silver.github_events_parsed', sqlOf('github_events_parsed'), {
    incoming: 'bronze.github_events',
    // An event that is there stays as it is: rows are added, never changed.
    materialize: merge({ key: ['event_id'], whenMatched: 'keep' }),
    format: 'iceberg',
    partitionBy: ['ingestion_date', 'event_type'],
    properties: { 'write.parquet.compression-codec': 'snappy' },
    tags: ['hourly'],
    tests: [
      ...['event_id', 'event_type', 'created_at', 'processed_at'].map((column) => notNull(column)),
      unique('event_id'),
      freshness('processed_at', { warnAfterMs: 2 * HOUR_MS, errorAfterMs: 6 * HOUR_MS }),
    ],
    unitTests: parsedTests,
  })

  p.model('silver.github_events', sqlOf('github_events'), {
    incoming: 'silver.github_events_parsed',
    materialize: merge({ key: ['event_id'] }),
    format: 'iceberg',
    partitionBy: ['event_date'],
    tags: ['hourly'],
    tests: [
      ...['event_id', 'event_type', 'event_category', 'actor_login', 'repo_name', 'event_date'].map(
        (column) => notNull(column),
      ),
      // Over all days, so that an event is on one of them only.
      unique('event_id'),
      accepted('event_type', EVENT_TYPES),
      accepted('event_category', CATEGORIES),
      notNull('activity_score'),
      expression('activity_score >= 0', { name: 'activity_score_not_negative' }),
      expression('created_at <= now()', { name: 'created_at_not_in_the_future' }),
      expression('event_date <= CAST(now() AS DATE)', { name: 'event_date_not_in_the_future' }),
    ],
  })

  p.model('gold.github_user_activity', sqlOf('github_user_activity'), {
    incoming: 'silver.github_events',
    materialize: partitions({ by: ['activity_date'], touched: sqlOf('touched_days') }),
    format: 'iceberg',
    tags: ['hourly'],
    tests: [
      ...['actor_id', 'actor_login', 'activity_date', 'total_events'].map((column) =>
        notNull(column),
      ),
      unique(['actor_id', 'activity_date']),
      expression('total_events >= 0', { name: 'total_events_not_negative' }),
      expression('total_commits >= 0', { name: 'total_commits_not_negative' }),
      accepted('user_activity_level', ['highly_active', 'active', 'moderate', 'low_activity']),
      accepted('user_specialization', [
        'developer',
        'reviewer',
        'issue_manager',
        'community_member',
        'generalist',
      ]),
    ],
    unitTests: activityTests,
  })

  p.schedule('hourly', {
    cron: '0 * * * *',
    zone: 'UTC',
    run: ['tag:hourly'],
    // A run reads everything that is new; those that were missed are not made up for.
    catchUp: 'none',
    retries: 3,
    retryDelayMs: 5 * 60_000,
  })
}

/** Files put together daily, old versions and files that nobody needs removed weekly. */
export function maintenance(p: PipelineBuilder): void {
  p.maintain('bronze.github_events', {
    compact: {
      targetBytes: TARGET_BYTES,
      inputFilesMin: 5,
      lastDays: 7,
      order: sortBy('ingestion_timestamp'),
    },
    expire: { olderThanDays: 7, keep: 5 },
    orphans: { olderThanDays: 3 },
  })
  p.maintain('silver.github_events_parsed', {
    compact: {
      targetBytes: TARGET_BYTES,
      inputFilesMin: 2,
      lastDays: 7,
      order: zOrder('event_type', 'created_at'),
    },
    expire: { olderThanDays: 7, keep: 5 },
    orphans: { olderThanDays: 3 },
  })
}

const sqlOf = (name: string) => new URL(`./models/${name}.sql`, import.meta.url)
