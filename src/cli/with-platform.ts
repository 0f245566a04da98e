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
  more: Pick<PlatformOptions, 'openGateway' | 'onTask' | 'schedule'> = {},
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
    }
  } finally {
    home.release()
  }
}
