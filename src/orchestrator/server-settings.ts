import { choice, integer, text } from './setting-kinds.ts'

/** Servers that rows are served from, and the warehouses. Part of `SETTINGS`. */
export const SERVER_SETTINGS = {
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
} as const
