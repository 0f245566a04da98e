import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { environmentOf, idsOf, ourTable, platformInBucket } from '../api/lake-in-bucket.ts'
import type { PlatformForTests } from '../api/platform-for-tests.ts'
import { ensureService, ensureToolset } from '../services.ts'

// Apache Spark on the catalog of a running platform whose lake is in a bucket. All it is told is where the catalog is.

const run = promisify(execFile)
const service = await ensureService('s3')
const spark = 'skip' in service ? service : await ensureToolset('spark')
const bundle = 'skip' in spark ? spark : await ensureToolset('iceberg-aws')

let running: PlatformForTests | undefined
afterEach(() => running?.stop())

test.skipIf('skip' in bundle)(
  'Spark reads and writes a lake in a bucket with what the catalog gives it',
  {
    timeout: 600_000,
  },
  async () => {
    running = await platformInBucket(service, 'vended')
    const { platform } = running
    const events = await ourTable(platform)
    const { MEKONG_SPARK_PYTHON, MEKONG_SPARK_JARS, ...environment } = environmentOf(spark)
    const classPath = [MEKONG_SPARK_JARS, environmentOf(bundle).MEKONG_ICEBERG_AWS_JARS]
      .map((folder) => `${folder}/*`)
      .join(':')
    const { stdout } = await run(MEKONG_SPARK_PYTHON!, ['-c', SPARK, `${platform.url}/iceberg`], {
      env: {
        ...{ PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
        PYSPARK_SUBMIT_ARGS: `--driver-class-path "${classPath}" pyspark-shell`,
      },
      maxBuffer: 16 * 1024 * 1024,
    })
    expect(JSON.parse(/^SAID (.*)$/m.exec(stdout)![1]!)).toEqual({ ours: events, theirs: [1, 3] })
    expect(await idsOf(platform, 'bronze.theirs')).toEqual([1n, 3n])
  },
)

const SPARK = `
import json, sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.config(map={
    'spark.sql.catalog.mekong': 'org.apache.iceberg.spark.SparkCatalog',
    'spark.sql.catalog.mekong.type': 'rest',
    'spark.sql.catalog.mekong.uri': sys.argv[1],
    'spark.sql.catalog.mekong.header.X-Iceberg-Access-Delegation': 'vended-credentials',
    'spark.log.level': 'ERROR',
}).getOrCreate()
spark.sql('CREATE TABLE mekong.bronze.theirs (id BIGINT) USING iceberg')
spark.sql('INSERT INTO mekong.bronze.theirs VALUES (1), (2), (3)')
spark.sql('DELETE FROM mekong.bronze.theirs WHERE id = 2')
ids = lambda name: [row[0] for row in spark.sql(f'SELECT id FROM mekong.{name} ORDER BY id').collect()]
print('SAID ' + json.dumps({'ours': ids('bronze.ours'), 'theirs': ids('bronze.theirs')}))
`
