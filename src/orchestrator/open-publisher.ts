import { MYSQL_DEFAULTS, type MysqlConfig } from '../serve/mysql/config.ts'
import { mysqlPublisher } from '../serve/mysql/publisher.ts'
import type { PostgresConfig } from '../serve/postgres/config.ts'
import { postgresPublisher } from '../serve/postgres/publisher.ts'
import type { TablePublisher } from '../serve/table-publisher.ts'
import type { Settings } from './settings.ts'

/** The MySQL or MariaDB server that the settings describe; all its parts were checked to be there. `undefined` where they name none. */
export function mysqlConfig(settings: Settings): MysqlConfig | undefined {
  if (settings.mysql !== 'server') return undefined
  return {
    ...MYSQL_DEFAULTS,
    host: settings.mysqlHost!,
    port: settings.mysqlPort,
    database: settings.mysqlDatabase!,
    user: settings.mysqlUser!,
    password: settings.mysqlPassword!,
  }
}

/** Where whole tables are published: the MySQL server where there is one, else the PostgreSQL of other serving tables. Opens nothing. */
export function publisherOf(settings: Settings, postgres: PostgresConfig): TablePublisher {
  const mysql = mysqlConfig(settings)
  return mysql === undefined ? postgresPublisher(postgres) : mysqlPublisher(mysql)
}

/** The same where PostgreSQL is only reached when it is needed. */
export async function reachPublisher(
  settings: Settings,
  postgres: () => Promise<PostgresConfig>,
): Promise<TablePublisher> {
  const mysql = mysqlConfig(settings)
  return mysql === undefined ? postgresPublisher(await postgres()) : mysqlPublisher(mysql)
}
