import { ConfigError, type ConfigProblem } from './errors.ts'
import { bucketOf } from './lake-settings.ts'
import type { Setting } from './setting-kinds.ts'
import { SETTINGS, type SettingName, type Settings } from './settings.ts'

// What the config file and the environment say becomes the settings in force, or a list of everything that is wrong with it.

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
