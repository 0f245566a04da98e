import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fetchJars, hasJars, javaUnavailable } from './maven-jars.ts'
import { hasVenv, makeVenv, pythonOf, pythonUnavailable } from './python-venv.ts'
import type { Toolset, ToolsetPlace } from './service.ts'

// PySpark in a virtual environment, with Delta Lake and Iceberg beside it, and settings for one
// small machine. Whoever runs its Python with its environment variables has all of that.

// The newest Spark for which both formats have a release.
const PACKAGES = ['pyspark==4.1.4']
const DELTA_VERSION = '4.4.0'
export const ICEBERG_VERSION = '1.12.0'
// Alone, because what they depend on besides one another is Spark's, and would be there twice.
const JARS = [
  `io.delta:delta-spark_4.1_2.13:${DELTA_VERSION}!`,
  `io.delta:delta-storage:${DELTA_VERSION}!`,
  `io.delta:delta-kernel-api:${DELTA_VERSION}!`,
  `io.delta:delta-kernel-defaults:${DELTA_VERSION}!`,
  `org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:${ICEBERG_VERSION}!`,
] as const
const HEAP = '1g'

const venvOf = ({ folder }: ToolsetPlace) => path.join(folder, 'venv')
const jarsOf = ({ downloadFolder }: ToolsetPlace) =>
  path.join(downloadFolder, `delta-${DELTA_VERSION}-iceberg-${ICEBERG_VERSION}`)
const settingsOf = ({ folder }: ToolsetPlace) => path.join(folder, 'conf')

export const spark: Toolset = Object.freeze<Toolset>({
  name: 'spark',
  async unavailable() {
    return (await javaUnavailable('Spark')) ?? (await pythonUnavailable())
  },
  async prepare(place) {
    if (!hasVenv(venvOf(place))) place.say('spark: fetching PySpark (about 450 MB, once)')
    await makeVenv(venvOf(place), PACKAGES)
    if (!hasJars(jarsOf(place))) place.say('spark: fetching Delta Lake and Iceberg (about 65 MB)')
    await fetchJars(jarsOf(place), JARS)
    mkdirSync(settingsOf(place), { recursive: true })
    const settings = Object.entries(sparkSettings(place)).map(([name, value]) => `${name} ${value}`)
    writeFileSync(path.join(settingsOf(place), 'spark-defaults.conf'), `${settings.join('\n')}\n`)
    writeFileSync(path.join(settingsOf(place), 'log4j2.properties'), LOG4J)
  },
  environment: (place) => ({
    MEKONG_SPARK_PYTHON: pythonOf(venvOf(place)),
    SPARK_CONF_DIR: settingsOf(place),
    SPARK_LOCAL_IP: '127.0.0.1',
    MEKONG_SPARK_JARS: jarsOf(place),
  }),
})

/**
 * Two threads and tables of a few rows: everything that is there for big clusters is turned down.
 * `spark_catalog` is Delta's, for tables by path; an Iceberg catalog is named by whoever uses one.
 */
function sparkSettings(place: ToolsetPlace): Readonly<Record<string, string>> {
  return {
    'spark.master': 'local[2]',
    'spark.driver.memory': HEAP,
    'spark.driver.extraClassPath': path.join(jarsOf(place), '*'),
    'spark.driver.host': '127.0.0.1',
    'spark.driver.bindAddress': '127.0.0.1',
    'spark.ui.enabled': 'false',
    'spark.ui.showConsoleProgress': 'false',
    'spark.sql.shuffle.partitions': '2',
    'spark.sql.session.timeZone': 'UTC',
    'spark.sql.parquet.outputTimestampType': 'TIMESTAMP_MICROS',
    'spark.sql.warehouse.dir': path.join(place.folder, 'warehouse'),
    'spark.sql.extensions':
      'io.delta.sql.DeltaSparkSessionExtension,' +
      'org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions',
    'spark.sql.catalog.spark_catalog': 'org.apache.spark.sql.delta.catalog.DeltaCatalog',
    'spark.databricks.delta.snapshotPartitions': '1',
  }
}

const LOG4J = `appender.stderr.type=Console
appender.stderr.name=stderr
appender.stderr.target=SYSTEM_ERR
appender.stderr.layout.type=PatternLayout
appender.stderr.layout.pattern=[%d] %p %m (%c)%n
rootLogger.level=error
rootLogger.appenderRef.stderr.ref=stderr
`
