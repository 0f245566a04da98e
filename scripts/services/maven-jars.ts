import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'

// Maven's own settings say from where; nothing here names a registry.

const run = promisify(execFile)

/** Why Java programs cannot be had here, for a service that `what` names; `null` when they can. */
export async function javaUnavailable(what: string): Promise<string | null> {
  for (const [program, version] of [
    ['java', '-version'],
    ['mvn', '-version'],
  ] as const) {
    try {
      await run(program, [version])
    } catch {
      return `\`${program}\` does not run; ${what} needs Java 17 or newer, and Maven to fetch it.`
    }
  }
  return null
}

/** `group:artifact:version`; with `!` behind it, without what it depends on. */
export type MavenArtifact = `${string}:${string}:${string}`

/** Copy artifacts and what they depend on into `folder`, whole or not at all; nothing when it is there. */
export async function fetchJars(
  folder: string,
  artifacts: readonly MavenArtifact[],
): Promise<void> {
  if (hasJars(folder)) return
  const parent = path.dirname(folder)
  mkdirSync(parent, { recursive: true })
  const pom = path.join(parent, 'pom.xml')
  writeFileSync(pom, pomOf(artifacts))
  const arriving = `${folder}.arriving`
  rmSync(arriving, { recursive: true, force: true })
  await run(
    'mvn',
    ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${arriving}`],
    { maxBuffer: 64 * 1024 * 1024 },
  )
  renameSync(arriving, folder)
}

export const hasJars = (folder: string) => existsSync(folder) && readdirSync(folder).length > 0

function pomOf(artifacts: readonly MavenArtifact[]): string {
  const dependencies = artifacts.map((artifact) => {
    const [group, name, version] = artifact.replace('!', '').split(':')
    const alone = artifact.endsWith('!')
      ? `
      <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>`
      : ''
    return `    <dependency>
      <groupId>${group}</groupId>
      <artifactId>${name}</artifactId>
      <version>${version}</version>${alone}
    </dependency>`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>mekong</groupId>
  <artifactId>jars</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
</project>
`
}
