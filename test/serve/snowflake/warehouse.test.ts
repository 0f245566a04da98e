import { connectSnowflake } from '../../../src/serve/snowflake/client.ts'
import { snowflakeConfig } from '../../../src/serve/snowflake/config.ts'
import { snowflakeWarehouse } from '../../../src/serve/snowflake/warehouse.ts'
import { describeWarehouse } from '../../conformance/warehouse.ts'
import { ensureService } from '../../services.ts'

describeWarehouse("a server that takes Snowflake's driver and SQL", async () => {
  const service = await ensureService('snowflake')
  if ('skip' in service) return undefined
  const { SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER, SNOWFLAKE_PASSWORD, SNOWFLAKE_URL } =
    service.environment
  const config = snowflakeConfig({
    ...{ account: SNOWFLAKE_ACCOUNT!, user: SNOWFLAKE_USER!, password: SNOWFLAKE_PASSWORD! },
    ...{ url: SNOWFLAKE_URL!, database: `mekong_${Date.now()}` },
  })
  return {
    warehouse: snowflakeWarehouse(config),
    async rows(sql) {
      const session = await connectSnowflake(config)
      try {
        await session.run(`USE DATABASE ${config.database}`)
        return (await session.run(sql)).map((row) => Object.values(row) as (string | null)[])
      } finally {
        await session.close()
      }
    },
    emptyTextIsNull: 'fakesnow takes a quoted empty cell for a null, which Snowflake does not',
    close: async () => {},
  }
})
