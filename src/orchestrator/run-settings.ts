import { choice, integer, text } from './setting-kinds.ts'

/** When tasks run, what is remembered of them, and who is told. Part of `SETTINGS`. */
export const RUN_SETTINGS = {
  taskConcurrency: integer({
    variable: 'MEKONG_TASK_CONCURRENCY',
    doc: 'Most tasks (models, syncs, maintenance) at work at one time.',
    unit: 'tasks',
    default: 2,
    min: 1,
    max: 1_000,
  }),
  scheduler: choice({
    variable: 'MEKONG_SCHEDULER',
    doc: 'Whether `mekong up` begins runs at the moments of schedules. Off where something else does, such as Airflow.',
    default: 'on',
    choices: ['on', 'off'],
  }),
  maintenance: choice({
    variable: 'MEKONG_MAINTENANCE',
    doc: 'Whether bronze tables that a pipeline says nothing about are kept in shape: small files put together daily, old versions and unneeded files removed weekly. Tables named in `p.maintain` always are.',
    default: 'on',
    choices: ['on', 'off'],
  }),
  alertWebhookUrl: text({
    variable: 'MEKONG_ALERT_WEBHOOK_URL',
    doc: 'Where alerts are POSTed as JSON, beside their line in the log. From the environment only, as such addresses carry their key.',
    default: undefined,
    secret: true,
  }),
  alertIntervalSeconds: integer({
    variable: 'MEKONG_ALERT_INTERVAL_SECONDS',
    doc: 'Between two looks at ledger, dead letters and ages of tables.',
    unit: 'seconds',
    default: 60,
    min: 1,
    max: 86_400,
  }),
  alertDeadLetters: integer({
    variable: 'MEKONG_ALERT_DEAD_LETTERS',
    doc: 'New dead letters of a hop between two looks that are worth an alert; 0 for none.',
    unit: 'letters',
    default: 1,
    min: 0,
    max: 1_000_000_000,
  }),
  alertStaleMinutes: integer({
    variable: 'MEKONG_ALERT_STALE_MINUTES',
    doc: 'A table that is filled from a topic and has had no commit for so long is worth an alert; 0 for never.',
    unit: 'minutes',
    default: 0,
    min: 0,
    max: 1_000_000,
  }),
  runs: choice({
    variable: 'MEKONG_RUNS',
    doc: 'Where runs, their history and leases are kept: in the home, or in the PostgreSQL server (schema `mekong_runs`), where several platforms with one lake share them.',
    default: 'embedded',
    choices: ['embedded', 'server'],
  }),
  runHistoryDays: integer({
    variable: 'MEKONG_RUN_HISTORY_DAYS',
    doc: 'How long runs that are over are remembered.',
    unit: 'days',
    default: 90,
    min: 1,
    max: 36_500,
  }),
} as const
