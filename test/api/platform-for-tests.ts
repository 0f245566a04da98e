import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { apiRoutes } from '../../src/api/routes.ts'
import type { Clock } from '../../src/model/clock.ts'
import { lockHome } from '../../src/orchestrator/home.ts'
import { type Platform, startPlatform } from '../../src/orchestrator/platform.ts'
import { resolveSettings } from '../../src/orchestrator/resolve-settings.ts'
import type { PipelinePlan } from '../../src/pipeline/plan.ts'
import readings from '../cli/small-river/pipeline.ts'

/** An answer of the API. */
export interface Answer {
  readonly status: number
  readonly type: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as into any JSON
  readonly body: any
}

/** A small platform in this process, with its API. */
export interface PlatformForTests {
  readonly platform: Platform
  readonly notices: readonly string[]
  get(path: string, headers?: Record<string, string>): Promise<Answer>
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  stop(): Promise<void>
}

/** What is other than usual. */
export interface Different {
  readonly plans?: readonly PipelinePlan[]
  readonly settings?: Readonly<Record<string, unknown>>
  /** Settings that only the environment has. */
  readonly variables?: Readonly<Record<string, string>>
  readonly clock?: Clock
}

export async function platformForTests(different: Different = {}): Promise<PlatformForTests> {
  const folder = mkdtempSync(path.join(tmpdir(), 'mekong-api-'))
  const home = lockHome(folder)
  const notices: string[] = []
  const platform = await startPlatform({
    home,
    settings: resolveSettings(
      { port: 0, lakeIntervalMs: 0, memoryMb: 256, ...different.settings },
      different.variables ?? {},
    ),
    ...(different.clock === undefined ? {} : { clock: different.clock }),
    plans: different.plans ?? [readings],
    routes: apiRoutes,
    onNotice: (line) => notices.push(line),
  })
  const ask = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(`${platform.url}${path}`, init)
    const type = response.headers.get('content-type') ?? ''
    return { status: response.status, type, body: await response.json() }
  }
  return {
    platform,
    notices,
    get: (path, headers = {}) => ask(path, { headers }),
    post: (path, body, headers = {}) =>
      ask(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        ...(body === undefined
          ? {}
          : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    async stop() {
      await platform.stop()
      home.release()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
