import { apiRoutes } from '../api/routes.ts'
import { lockHome } from '../orchestrator/home.ts'
import { type Platform, type PlatformOptions, startPlatform } from '../orchestrator/platform.ts'
import type { Settings } from '../orchestrator/settings.ts'
import type { CommandContext } from './command.ts'
import type { Project } from './project.ts'

/** Run a platform in this process, on the project's home, for as long as `work` takes; then finish what is in hand and let the home go. */
export async function withPlatform<T>(
  { terminal }: CommandContext,
  { homeFolder, settings, plans }: Project,
  work: (platform: Platform) => Promise<T>,
  changed: Partial<Settings> = {},
  more: Pick<PlatformOptions, 'openGateway' | 'onTask' | 'onPart' | 'schedule'> = {},
): Promise<T> {
  const home = lockHome(homeFolder)
  try {
    const platform = await startPlatform({
      home,
      settings: { ...settings, ...changed },
      plans,
      routes: apiRoutes,
      onNotice: terminal.note,
      ...more,
    })
    try {
      return await work(platform)
    } finally {
      await platform.stop()
      endAnyway(platform.runner.leftBehind, terminal.note)
    }
  } finally {
    home.release()
  }
}

const LAST_WORDS_MS = 1_000

/** A step that does not heed its signal would keep the process for as long as it likes. */
function endAnyway(tasks: readonly string[], note: (line: string) => void): void {
  if (tasks.length === 0) return
  note(`Ending although these did not stop when told: ${tasks.join(', ')}.`)
  setTimeout(() => process.exit(), LAST_WORDS_MS).unref()
}
