import path from 'node:path'
import { bigqueryConfig } from '../serve/bigquery/config.ts'
import { bigqueryWarehouse } from '../serve/bigquery/warehouse.ts'
import { duckdbWarehouse } from '../serve/duckdb/warehouse.ts'
import { snowflakeConfig } from '../serve/snowflake/config.ts'
import { snowflakeWarehouse } from '../serve/snowflake/warehouse.ts'
import type { Warehouse } from '../serve/warehouse.ts'
import type { Home } from './home.ts'
import type { Settings } from './settings.ts'

/** The warehouse that the settings name. Nothing is opened before it is used. */
export function openWarehouse(home: Home, settings: Settings): Warehouse {
  if (settings.bigqueryProject !== undefined)
    return openBigquery(settings, settings.bigqueryProject)
  if (settings.snowflakeAccount !== undefined)
    return openSnowflake(settings, settings.snowflakeAccount)
  return duckdbWarehouse({ file: path.join(home.serve, 'warehouse', 'warehouse.duckdb') })
}

function openBigquery(settings: Settings, project: string): Warehouse {
  const { bigqueryCredentials: file, bigqueryToken: token, bigqueryUrl: url } = settings
  return bigqueryWarehouse(
    bigqueryConfig({
      ...{ project, location: settings.bigqueryLocation },
      ...(file === undefined ? {} : { credentialsFile: file }),
      ...(token === undefined ? {} : { accessToken: token }),
      ...(url === undefined ? {} : { url }),
    }),
  )
}

function openSnowflake(settings: Settings, account: string): Warehouse {
  const { snowflakeWarehouse: warehouse, snowflakeRole: role, snowflakeUrl: url } = settings
  return snowflakeWarehouse(
    snowflakeConfig({
      ...{ account, user: settings.snowflakeUser!, password: settings.snowflakePassword! },
      database: settings.snowflakeDatabase,
      ...(warehouse === undefined ? {} : { warehouse }),
      ...(role === undefined ? {} : { role }),
      ...(url === undefined ? {} : { url }),
    }),
  )
}
