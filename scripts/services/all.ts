import { chromium } from './chromium.ts'
import { dbt } from './dbt.ts'
import { icebergAws } from './iceberg-aws.ts'
import { kafka } from './kafka.ts'
import { mariadb } from './mariadb.ts'
import { mongodb } from './mongodb.ts'
import { neo4j } from './neo4j.ts'
import { postgres } from './postgres.ts'
import { python } from './python.ts'
import { s3 } from './s3.ts'
import type { Service } from './service.ts'
import { snowflake } from './snowflake.ts'
import { spark } from './spark.ts'
import { sparkConnect } from './spark-connect.ts'

/** Every engine that can be had; adding one is adding a file and a line. */
export const services: readonly Service[] = [
  ...[kafka, mariadb, mongodb, neo4j, postgres, s3, snowflake],
  ...[python, dbt, chromium],
  ...[spark, sparkConnect, icebergAws],
]
