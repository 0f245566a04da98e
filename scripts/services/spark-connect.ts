import { readdirSync } from 'node:fs'
import path from 'node:path'
import { isListening, SERVICES_FOLDER } from './place.ts'
import type { Server, ToolsetPlace } from './service.ts'
import { spark } from './spark.ts'

// A Spark Connect server with Delta Lake and Iceberg, from the toolset `spark` and with its settings.

export const sparkConnect: Server = Object.freeze<Server>({
  name: 'spark-connect',
  portDefault: 15_002,
  unavailable: () => spark.unavailable(),
  prepare: (place) => spark.prepare(toolsetPlace(place)),
  command(place) {
    const tools = toolsetPlace(place)
    return {
      // It ends by becoming the server's own process.
      file: path.join(sparkHome(tools), 'bin', 'spark-submit'),
      args: [
        ...['--class', 'org.apache.spark.sql.connect.service.SparkConnectServer'],
        ...['--conf', 'spark.connect.grpc.binding.address=127.0.0.1'],
        ...['--conf', `spark.connect.grpc.binding.port=${place.port}`],
        'spark-internal',
      ],
      env: spark.environment(tools),
    }
  },
  ready: (place) => isListening(place.port),
  environment: (place) => ({ SPARK_REMOTE: `sc://127.0.0.1:${place.port}` }),
})

/** PySpark's own folder is a whole Spark without examples. */
function sparkHome({ folder }: ToolsetPlace): string {
  const lib = path.join(folder, 'venv', 'lib')
  return path.join(lib, readdirSync(lib)[0]!, 'site-packages', 'pyspark')
}

function toolsetPlace({ say }: Pick<ToolsetPlace, 'say'>): ToolsetPlace {
  return {
    folder: path.join(SERVICES_FOLDER, spark.name),
    downloadFolder: path.join(SERVICES_FOLDER, 'downloads', spark.name),
    say,
  }
}
