import { homeUse } from '../orchestrator/home.ts'
import { type HomeReader, openHomeReader } from '../orchestrator/home-reader.ts'
import type { CommandContext } from './command.ts'
import { loadProject, type Project } from './project.ts'

/** Look into the home that a command names, while a platform runs there or not, and close everything afterwards. */
export async function withHome<T>(
  context: CommandContext,
  work: (reader: HomeReader, project: Project) => Promise<T>,
): Promise<T> {
  const project = await loadProject(context)
  const reader = openHomeReader(project)
  try {
    return await work(reader, project)
  } finally {
    await reader.close()
  }
}

/** What to say where there is nothing to show yet. */
export function nothingYet(reader: HomeReader, what: string): string {
  const { path } = reader.home
  return homeUse(reader.home).status === 'absent'
    ? `There are no ${what}: ${path} is no home folder yet. Start one with "mekong up" or "mekong demo", or name another with --home.`
    : `There are no ${what} in ${path} yet.`
}
