import { mysqlPublisher } from '../../../src/serve/mysql/publisher.ts'
import { openOttHome } from './ott-home.ts'

// publish-child.ts HOME: publishes the ott tables of a home to the MySQL server that the environment names. To be killed.

const { MYSQL_HOST, MYSQL_PORT, MYSQL_DATABASE, MYSQL_USER, MYSQL_PASSWORD } = process.env
const home = await openOttHome(process.argv[2]!)
await home.run({
  publisher: () =>
    mysqlPublisher({
      ...{ host: MYSQL_HOST!, port: Number(MYSQL_PORT), database: MYSQL_DATABASE! },
      ...{ user: MYSQL_USER!, password: MYSQL_PASSWORD!, connectTimeoutMs: 10_000 },
    }),
})
process.exit(0)
