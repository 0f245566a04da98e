import path from 'node:path'
import { fetchJars, hasJars, javaUnavailable } from './maven-jars.ts'
import type { Toolset, ToolsetPlace } from './service.ts'
import { ICEBERG_VERSION } from './spark.ts'

// Iceberg's own way to S3 in Java, for the toolset `spark`: put the folder on Spark's class path beside what is there. Apart from it, because
// it is as large as all the rest and only tables in a bucket need it.

const jarsOf = ({ downloadFolder }: ToolsetPlace) => path.join(downloadFolder, ICEBERG_VERSION)

export const icebergAws: Toolset = Object.freeze<Toolset>({
  name: 'iceberg-aws',
  unavailable: () => javaUnavailable("Iceberg's bundle for S3"),
  async prepare(place) {
    if (!hasJars(jarsOf(place))) place.say('iceberg-aws: fetching it (about 70 MB, once)')
    await fetchJars(jarsOf(place), [`org.apache.iceberg:iceberg-aws-bundle:${ICEBERG_VERSION}!`])
  },
  environment: (place) => ({ MEKONG_ICEBERG_AWS_JARS: jarsOf(place) }),
})
