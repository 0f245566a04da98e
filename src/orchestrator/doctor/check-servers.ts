import { connect, createServer } from 'node:net'
import { hasPostgresTable } from '../../flow/resting-hops.ts'
import { readMigrations } from '../../flow/running-hop.ts'
import { messageOf } from '../../model/errors.ts'
import type { PipelinePlan } from '../../pipeline/plan.ts'
import { type PostgresConfig, postgresName } from '../../serve/postgres/config.ts'
import { queryPostgres } from '../../serve/postgres/query.ts'
import { postgresSink } from '../../serve/postgres/sink.ts'
import { serverConfig } from '../open-postgres.ts'
import type { Settings } from '../settings.ts'
import { type Finding, fail, finding, ok, warn } from './finding.ts'

const CONNECT_MS_MAX = 5_000

/** Whether the front door's port can be had. */
export function checkPort({ host, port }: Settings): Promise<Finding> {
  const todo = 'Stop what uses it, or set MEKONG_PORT to another port (0 takes a free one).'
  return finding('port', todo, async () => {
    if (port === 0) return ok('port', 'a free one will be taken')
    await new Promise<void>((resolve, reject) => {
      const server = createServer()
      server.once('error', reject)
      server.listen(port, host, () => server.close(() => resolve()))
    })
    return ok('port', `${host}:${port} is free`)
  })
}

/** Whether the serving store takes what the pipelines write: reached, allowed, and written to without leaving anything. */
export async function checkPostgres(
  settings: Settings,
  plans: readonly PipelinePlan[],
): Promise<readonly Finding[]> {
  const serves = plans.flatMap((plan) => plan.serves)
  if (serves.length === 0) return [ok('postgres', 'no pipeline serves from one')]
  if (settings.postgres === 'embedded') {
    return [ok('postgres', 'embedded, in the home folder')]
  }
  const config = serverConfig(settings)
  const todo =
    'Check POSTGRES_HOST, _PORT, _DB, _USER, _PASSWORD and _SSLMODE, and the rights of the user.'
  const reached = await finding('postgres', todo, async () => {
    const { rows } = await queryPostgres(config, { sql: 'SHOW server_version' })
    return ok('postgres', `${postgresName(config)} answers, version ${rows[0]?.[0]}`)
  })
  if (reached.status !== 'ok') return [reached]
  const tables = await Promise.all(
    serves.map(({ target }) =>
      finding(`postgres ${target.table}`, todo, () => checkTable(config, target)),
    ),
  )
  return [reached, ...tables]
}

async function checkTable(
  config: PostgresConfig,
  target: PipelinePlan['serves'][number]['target'],
): Promise<Finding> {
  const check = `postgres ${target.table}`
  const made = await Promise.all(
    [target.table, 'mekong.cursors'].map((table) => hasPostgresTable(config, table)),
  )
  if (made.includes(false)) {
    const sql = "SELECT has_database_privilege(current_database(), 'CREATE')"
    const { rows } = await queryPostgres(config, { sql })
    return rows[0]?.[0] === true
      ? ok(check, 'is not there yet; the first start makes it')
      : warn(
          check,
          `is not there yet, and ${config.user} may not create schemas in ${config.database}`,
          `GRANT CREATE ON DATABASE ${config.database} TO ${config.user};`,
        )
  }
  const sink = postgresSink(config, {
    table: target.table,
    columns: target.columns,
    migrations: readMigrations(target.migrations),
  })
  try {
    await sink.check()
    return ok(check, 'can be written')
  } finally {
    await sink.close()
  }
}

/** Whether the log's brokers can be reached, where the log is Kafka. */
export async function checkKafka({ log, kafkaBrokers }: Settings): Promise<readonly Finding[]> {
  if (log !== 'kafka' || kafkaBrokers === undefined) return []
  const brokers = kafkaBrokers.split(',').map((broker) => broker.trim())
  const todo = 'Check KAFKA_BROKER, and that the brokers run and can be reached from here.'
  const troubles = await Promise.all(brokers.map(brokerTrouble))
  const away = brokers.filter((_, index) => troubles[index] !== undefined)
  const why = troubles.filter((trouble) => trouble !== undefined).join('; ')
  if (away.length === 0) return [ok('kafka', `${brokers.join(', ')} can be reached`)]
  // One broker is enough to find the others.
  return away.length < brokers.length
    ? [warn('kafka', `some brokers cannot be reached: ${why}`, todo)]
    : [fail('kafka', `no broker can be reached: ${why}`, todo)]
}

async function brokerTrouble(broker: string): Promise<string | undefined> {
  const at = broker.lastIndexOf(':')
  const host = at < 0 ? broker : broker.slice(0, at)
  const port = at < 0 ? 9092 : Number(broker.slice(at + 1))
  try {
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ host, port, timeout: CONNECT_MS_MAX }, () => {
        socket.destroy()
        resolve()
      })
      socket.once('error', reject)
      socket.once('timeout', () => socket.destroy(new Error('no answer')))
    })
    return undefined
  } catch (error) {
    return `${broker} (${messageOf(error)})`
  }
}
