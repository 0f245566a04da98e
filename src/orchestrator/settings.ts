import { ACCESS_SETTINGS } from './access-settings.ts'
import { ConfigError, type ConfigProblem } from './errors.ts'
import { bucketOf, LAKE_SETTINGS } from './lake-settings.ts'
import {
  type ChoiceSetting,
  choice,
  type IntegerSetting,
  integer,
  type Setting,
  text,
} from './setting-kinds.ts'
import { STORE_SETTINGS } from './store-settings.ts'

export type { Setting } from './setting-kinds.ts'

// Every setting of the platform, said once: its type, default, limits, environment variable and meaning. Validation, the
// help text and `docs/configuration.md` all come from this table. Nothing here reads the environment: the command
// line hands the variables in.

export const SETTINGS = {
  host: text({
    variable: 'MEKONG_HOST',
    doc: 'Address to listen on. Anything but loopback needs API keys.',
    default: '127.0.0.1',
  }),
  port: integer({
    variable: 'MEKONG_PORT',
    doc: 'Port of the HTTP server; 0 takes a free one.',
    default: 7070,
    min: 0,
    max: 65_535,
  }),
  ...ACCESS_SETTINGS,
  log: choice({
    variable: 'MEKONG_LOG',
    doc: 'Where topics live: one file in the home folder, or Apache Kafka. Kafka when KAFKA_BROKER is set.',
    default: 'embedded',
    choices: ['embedded', 'kafka'],
  }),
  kafkaBrokers: text({
    variable: 'KAFKA_BROKER',
    doc: 'Kafka bootstrap servers, separated by commas.',
    default: undefined,
    example: '127.0.0.1:9092',
  }),
  postgres: choice({
    variable: 'MEKONG_POSTGRES',
    doc: 'Where relational serving tables live: PGlite in the home folder, or a PostgreSQL server. A server when POSTGRES_HOST is set.',
    default: 'embedded',
    choices: ['embedded', 'server'],
  }),
  postgresHost: text({
    variable: 'POSTGRES_HOST',
    doc: 'Host of the PostgreSQL server.',
    default: undefined,
  }),
  postgresPort: integer({
    variable: 'POSTGRES_PORT',
    doc: 'Port of the PostgreSQL server; for the embedded one, the port where psql finds it (or the next free one).',
    default: 5432,
    min: 0,
    max: 65_535,
  }),
  postgresDatabase: text({
    variable: 'POSTGRES_DB',
    doc: 'Database on the PostgreSQL server.',
    default: undefined,
  }),
  postgresUser: text({
    variable: 'POSTGRES_USER',
    doc: 'User on the PostgreSQL server.',
    default: undefined,
  }),
  postgresPassword: text({
    variable: 'POSTGRES_PASSWORD',
    doc: 'Password on the PostgreSQL server. From the environment only.',
    default: undefined,
    secret: true,
  }),
  postgresSslMode: choice({
    variable: 'POSTGRES_SSLMODE',
    doc: 'TLS to the PostgreSQL server, as libpq names it.',
    default: 'disable',
    choices: ['disable', 'require', 'verify-full'],
  }),
  mongodbUrl: text({
    variable: 'MONGODB_URL',
    doc: 'Where documents live when it is set: a MongoDB server. Otherwise they live in PostgreSQL. From the environment only.',
    default: undefined,
    secret: true,
  }),
  mongodbDatabase: text({
    variable: 'MONGODB_DATABASE',
    doc: 'Database on the MongoDB server.',
    default: 'mekong',
  }),
  snowflakeAccount: text({
    variable: 'SNOWFLAKE_ACCOUNT',
    doc: 'Snowflake account that is the warehouse when it is set. Otherwise the warehouse is a DuckDB file in the home folder.',
    default: undefined,
    example: 'orgname-account',
  }),
  snowflakeUser: text({
    variable: 'SNOWFLAKE_USER',
    doc: 'User on Snowflake.',
    default: undefined,
  }),
  snowflakePassword: text({
    variable: 'SNOWFLAKE_PASSWORD',
    doc: 'Password on Snowflake. From the environment only.',
    default: undefined,
    secret: true,
  }),
  snowflakeDatabase: text({
    variable: 'SNOWFLAKE_DATABASE',
    doc: 'Database on Snowflake; made when it is not there.',
    default: 'mekong',
  }),
  snowflakeWarehouse: text({
    variable: 'SNOWFLAKE_WAREHOUSE',
    doc: 'Virtual warehouse on Snowflake; by default that of the user.',
    default: undefined,
  }),
  snowflakeRole: text({
    variable: 'SNOWFLAKE_ROLE',
    doc: 'Role on Snowflake; by default that of the user.',
    default: undefined,
  }),
  snowflakeUrl: text({
    variable: 'SNOWFLAKE_URL',
    doc: 'Where the account answers, if not at its usual address.',
    default: undefined,
  }),
  bigqueryProject: text({
    variable: 'BIGQUERY_PROJECT',
    doc: 'Google Cloud project whose BigQuery is the warehouse when it is set; not beside Snowflake.',
    default: undefined,
    example: 'my-project-123456',
  }),
  bigqueryLocation: text({
    variable: 'BIGQUERY_LOCATION',
    doc: 'Where BigQuery makes datasets and runs jobs.',
    default: 'US',
    example: 'europe-west3',
  }),
  bigqueryCredentials: text({
    variable: 'BIGQUERY_CREDENTIALS',
    doc: "File with a service account's key. Without it Google's library looks where it always does (GOOGLE_APPLICATION_CREDENTIALS, gcloud, the machine's account).",
    default: undefined,
  }),
  bigqueryToken: text({
    variable: 'BIGQUERY_ACCESS_TOKEN',
    doc: 'An access token that was fetched elsewhere, instead of credentials. From the environment only.',
    default: undefined,
    secret: true,
  }),
  bigqueryUrl: text({
    variable: 'BIGQUERY_URL',
    doc: "Where BigQuery's API answers, if not at its usual address.",
    default: undefined,
  }),
  startAt: choice({
    variable: 'MEKONG_START_AT',
    doc: 'Where a new table or store begins in its topic. Existing ones go on from their own cursor.',
    default: 'earliest',
    choices: ['earliest', 'latest'],
  }),
  memoryMb: integer({
    variable: 'MEKONG_MEMORY_MB',
    doc: 'Most memory the compute engines take before they spill to disk; half of it is for carrying records, half for questions.',
    unit: 'MB',
    default: 1_024,
    min: 128,
    max: 1_000_000,
  }),
  lakeIntervalMs: integer({
    variable: 'MEKONG_LAKE_INTERVAL_MS',
    doc: 'Least time between two commits to one lake table.',
    unit: 'ms',
    default: 1_000,
    min: 0,
    max: 3_600_000,
  }),
  serveIntervalMs: integer({
    variable: 'MEKONG_SERVE_INTERVAL_MS',
    doc: 'Least time between two commits to one serving store.',
    unit: 'ms',
    default: 100,
    min: 0,
    max: 3_600_000,
  }),
  batchRecordsMax: integer({
    variable: 'MEKONG_BATCH_RECORDS_MAX',
    doc: 'Most records in one micro-batch.',
    unit: 'records',
    default: 100_000,
    min: 1,
    max: 10_000_000,
  }),
  sparkRemote: text({
    variable: 'SPARK_REMOTE',
    doc: "Spark Connect server for models with engine: 'spark'. Both must reach the home folder's files.",
    default: undefined,
    example: 'sc://127.0.0.1:15002',
  }),
  openLineageFile: text({
    variable: 'MEKONG_OPENLINEAGE_FILE',
    doc: 'File that OpenLineage events of model runs are added to, one JSON object a line.',
    default: undefined,
    example: './lineage.ndjson',
  }),
  openLineageUrl: text({
    variable: 'OPENLINEAGE_URL',
    doc: 'Where OpenLineage events of model runs are sent, such as a Marquez server; /api/v1/lineage is added when it has no path.',
    default: undefined,
    example: 'http://127.0.0.1:5000',
  }),
  openLineageApiKey: text({
    variable: 'OPENLINEAGE_API_KEY',
    doc: 'Bearer token for that server. From the environment only.',
    default: undefined,
    secret: true,
  }),
  openLineageNamespace: text({
    variable: 'OPENLINEAGE_NAMESPACE',
    doc: 'Namespace of jobs and tables in OpenLineage events.',
    default: 'mekong',
  }),
  openaiApiKey: text({
    variable: 'OPENAI_API_KEY',
    doc: 'Key of the service that labels texts. Without it, and without an address, the built-in rules label. From the environment only.',
    default: undefined,
    secret: true,
  }),
  openaiBaseUrl: text({
    variable: 'OPENAI_BASE_URL',
    doc: "Address of the service that labels texts: any that speaks OpenAI's chat completions. Default: OpenAI's own, when there is a key.",
    default: undefined,
    example: 'http://127.0.0.1:11434/v1',
  }),
  labelModel: text({
    variable: 'MEKONG_LABEL_MODEL',
    doc: 'Model that labels texts.',
    default: 'gpt-5-nano',
  }),
  labelBudgetCents: integer({
    variable: 'MEKONG_LABEL_BUDGET_CENTS',
    doc: 'Most that one run of labelling may spend; it stops before the request that could go past it.',
    unit: 'US cents',
    default: 100,
    min: 0,
    max: 10_000_000,
  }),
  labelInputCents: integer({
    variable: 'MEKONG_LABEL_INPUT_CENTS',
    doc: 'Price of a million tokens that the labelling model reads.',
    unit: 'US cents',
    default: 5,
    min: 0,
    max: 1_000_000,
  }),
  labelOutputCents: integer({
    variable: 'MEKONG_LABEL_OUTPUT_CENTS',
    doc: 'Price of a million tokens that the labelling model writes.',
    unit: 'US cents',
    default: 40,
    min: 0,
    max: 1_000_000,
  }),
  mysql: choice({
    variable: 'MEKONG_MYSQL',
    doc: 'Where tables for MySQL live: in the same PostgreSQL as other serving tables, or on a MySQL or MariaDB server. A server when MYSQL_HOST is set.',
    default: 'postgres',
    choices: ['postgres', 'server'],
  }),
  mysqlHost: text({
    variable: 'MYSQL_HOST',
    doc: 'Host of the MySQL or MariaDB server.',
    default: undefined,
  }),
  mysqlPort: integer({
    variable: 'MYSQL_PORT',
    doc: 'Port of the MySQL or MariaDB server.',
    default: 3306,
    min: 1,
    max: 65_535,
  }),
  mysqlDatabase: text({
    variable: 'MYSQL_DATABASE',
    doc: 'Database on the MySQL or MariaDB server.',
    default: undefined,
  }),
  mysqlUser: text({
    variable: 'MYSQL_USER',
    doc: 'User on the MySQL or MariaDB server.',
    default: undefined,
  }),
  mysqlPassword: text({
    variable: 'MYSQL_PASSWORD',
    doc: 'Password on the MySQL or MariaDB server. From the environment only.',
    default: undefined,
    secret: true,
  }),
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
  ...LAKE_SETTINGS,
  ...STORE_SETTINGS,
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof SETTINGS
type ValueOf<S> =
  S extends ChoiceSetting<infer C>
    ? C
    : S extends IntegerSetting
      ? number
      : S extends { readonly default: string }
        ? string
        : string | undefined

/** The settings in force. */
export type Settings = { readonly [Name in SettingName]: ValueOf<(typeof SETTINGS)[Name]> }

type SecretName = {
  [Name in SettingName]: (typeof SETTINGS)[Name] extends { readonly secret: true } ? Name : never
}[SettingName]

/** What `mekong.config.ts` exports. Secrets are not among them. */
export type ConfigFile = {
  readonly [Name in Exclude<SettingName, SecretName>]?: ValueOf<(typeof SETTINGS)[Name]>
} & {
  /** Files that export a pipeline by default, relative to the config file. `*` stands for one folder or file name. */
  readonly pipelines?: readonly string[]
}

export const defineConfig = (config: ConfigFile): ConfigFile => config

/**
 * The settings from a config file's values and the environment's variables; a variable wins over the file.
 * @throws ConfigError with every problem found
 */
export function resolveSettings(
  file: Readonly<Record<string, unknown>>,
  variables: Readonly<Record<string, string | undefined>>,
): Settings {
  const problems: ConfigProblem[] = []
  for (const name of Object.keys(file)) {
    if (name === 'pipelines' || name in SETTINGS) continue
    problems.push({ where: `config file: ${name}`, what: `is no setting${didYouMean(name)}` })
  }
  const values: Record<string, unknown> = {}
  const said = new Set<SettingName>()
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting][]) {
    const variable = variables[setting.variable]
    const inFile = file[name]
    if (setting.secret && inFile !== undefined) {
      problems.push({
        where: `config file: ${name}`,
        what: `is a secret; set ${setting.variable} instead`,
      })
    }
    const given = variable !== undefined && variable !== '' ? variable : inFile
    if (given !== undefined) said.add(name)
    const where =
      variable !== undefined && variable !== '' ? setting.variable : `config file: ${name}`
    values[name] = given === undefined ? setting.default : parse(setting, given, where, problems)
  }
  if (!said.has('log') && values.kafkaBrokers !== undefined) values.log = 'kafka'
  if (!said.has('postgres') && values.postgresHost !== undefined) values.postgres = 'server'
  if (!said.has('mysql') && values.mysqlHost !== undefined) values.mysql = 'server'
  if (!said.has('olap') && values.clickhouseUrl !== undefined) values.olap = 'clickhouse'
  if (!said.has('graph') && values.neo4jUri !== undefined) values.graph = 'neo4j'
  if (!said.has('vectors') && values.pineconeHost !== undefined) values.vectors = 'pinecone'
  if (!said.has('postgresPort') && values.postgres === 'embedded')
    values.postgresPort = EMBEDDED_POSTGRES_PORT
  requireTogether(values, problems)
  checkLake(values, problems)
  if (values.snowflakeAccount !== undefined && values.bigqueryProject !== undefined)
    problems.push({
      where: SETTINGS.bigqueryProject.variable,
      what: `is set beside ${SETTINGS.snowflakeAccount.variable}, and there is one warehouse; unset one of them`,
    })
  const { publicUrl } = values
  if (typeof publicUrl === 'string' && !/^https?:\/\//.test(URL.parse(publicUrl)?.href ?? ''))
    problems.push({ where: SETTINGS.publicUrl.variable, what: 'must be an http or https address' })
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.freeze(values) as Settings
}

/** One beside PostgreSQL's own, so that a server on this machine is not in the way. */
const EMBEDDED_POSTGRES_PORT = 5433

function checkLake({ lake }: Record<string, unknown>, problems: ConfigProblem[]): void {
  if (lake === undefined || bucketOf(lake as string) !== undefined) return
  problems.push({
    where: SETTINGS.lake.variable,
    what: `must be s3://bucket or s3://bucket/prefix, not ${shown(lake)}; without it the lake is in the home folder`,
  })
}

/** A server is named whole or not at all: every missing part is said at once. */
function requireTogether(values: Record<string, unknown>, problems: ConfigProblem[]): void {
  const groups: [boolean, string, SettingName[]][] = [
    [values.log === 'kafka', 'Kafka', ['kafkaBrokers']],
    [
      values.postgres === 'server' || values.runs === 'server',
      'a PostgreSQL server',
      ['postgresHost', 'postgresDatabase', 'postgresUser', 'postgresPassword'],
    ],
    [values.snowflakeAccount !== undefined, 'Snowflake', ['snowflakeUser', 'snowflakePassword']],
    [
      values.mysql === 'server',
      'a MySQL server',
      ['mysqlHost', 'mysqlDatabase', 'mysqlUser', 'mysqlPassword'],
    ],
    [values.awsAccessKeyId !== undefined, 'that key', ['awsSecretAccessKey']],
    [values.olap === 'clickhouse', 'a ClickHouse server', ['clickhouseUrl']],
    [values.graph === 'neo4j', 'a Neo4j server', ['neo4jUri', 'neo4jPassword']],
    [values.vectors === 'pinecone', 'Pinecone', ['pineconeHost', 'pineconeApiKey']],
    [values.embeddings === 'openai', 'an embeddings endpoint', ['embeddingsModel']],
    [values.embeddings === 'transformers', 'transformers.js', ['embeddingsModel']],
  ]
  for (const [wanted, what, names] of groups) {
    if (!wanted) continue
    for (const name of names) {
      if (values[name] !== undefined) continue
      problems.push({ where: SETTINGS[name].variable, what: `is not set, and ${what} needs it` })
    }
  }
}

function parse(
  setting: Setting,
  given: unknown,
  where: string,
  problems: ConfigProblem[],
): unknown {
  switch (setting.kind) {
    case 'integer': {
      const value = typeof given === 'string' && given.trim() !== '' ? Number(given) : given
      if (
        Number.isInteger(value) &&
        (value as number) >= setting.min &&
        (value as number) <= setting.max
      )
        return value
      problems.push({
        where,
        what: `must be a whole number from ${setting.min} to ${setting.max}, not ${shown(given)}`,
      })
      return setting.default
    }
    case 'choice':
      if (setting.choices.includes(given as string)) return given
      problems.push({ where, what: `must be ${setting.choices.join(' or ')}, not ${shown(given)}` })
      return setting.default
    case 'text':
      if (typeof given === 'string' && given !== '') return given
      problems.push({
        where,
        what: `must be a text${setting.secret ? '' : `, not ${shown(given)}`}`,
      })
      return setting.default
  }
}

const shown = (value: unknown) => JSON.stringify(value) ?? String(value)

function didYouMean(name: string): string {
  const near = Object.keys(SETTINGS)
    .map((known) => ({ known, distance: editDistance(name.toLowerCase(), known.toLowerCase()) }))
    .filter(({ known, distance }) => distance <= Math.max(2, known.length / 3))
    .sort((a, b) => a.distance - b.distance)[0]
  return near === undefined
    ? `; there are ${Object.keys(SETTINGS).join(', ')}`
    : `; did you mean ${near.known}?`
}

/** Levenshtein's distance, for names. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      next[j] = Math.min(
        row[j]! + 1,
        next[j - 1]! + 1,
        row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
      )
    }
    row = next
  }
  return row[b.length]!
}
