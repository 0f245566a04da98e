import { expect, test } from 'vitest'
import { placesOfMenu, type RunningConsole, settled, type VisitOptions } from './running-console.ts'

/** Most bytes of the first page, as they go over the wire. */
const FIRST_LOAD_BYTES_MAX = 1_000_000

const LOOKS: readonly VisitOptions[] = [
  { width: 390, scheme: 'light', language: 'vi' },
  { width: 1920, scheme: 'dark', language: 'en' },
]

export function pageStories(open: () => RunningConsole): void {
  test.each(LOOKS)(
    'fits at $width px, $scheme, $language, and complains of nothing',
    async (look) => {
      const { visit, get, url } = open()
      await visit(
        '',
        async (page) => {
          await settled(page)
          const wide: string[] = []
          for (const place of [...(await placesOfMenu(page)), ...(await placesWithin(get))]) {
            await page.goto(`${url}/console/${place}`)
            await settled(page)
            const [content, window] = await page.evaluate(() => [
              document.documentElement.scrollWidth,
              document.documentElement.clientWidth,
            ])
            if (content! > window!) wide.push(`${place}: ${content} px`)
            expect(await page.getByRole('heading', { level: 1 }).count(), place).toBe(1)
          }
          expect(wide).toEqual([])
        },
        look,
      )
    },
  )

  test('is there at once and is light', async () => {
    await open().visit('', async (page) => {
      const { bytes, readyMs } = await firstLoad(page, open().url)
      console.log(`first load: ${Math.round(bytes / 1000)} kB, usable after ${readyMs} ms`)
      expect(bytes).toBeLessThan(FIRST_LOAD_BYTES_MAX)
      // What a quiet machine does in half a second; the bound is for one that is busy with other tests.
      expect(readyMs).toBeLessThan(10_000)
    })
  })

  test('is told in English and in Vietnamese, and keeps the choice', async () => {
    await open().visit('dead-letters', async (page) => {
      await page.getByRole('heading', { level: 1, name: 'Dead letters' }).waitFor()
      await page.getByRole('button', { name: 'Tiếng Việt' }).click()
      await page.getByRole('heading', { level: 1, name: 'Thư chết' }).waitFor()
      expect(await page.locator('html').getAttribute('lang')).toBe('vi')
      await page.reload()
      await page.getByRole('heading', { level: 1, name: 'Thư chết' }).waitFor()
      await page.getByRole('button', { name: 'English' }).click()
      await page.getByRole('heading', { level: 1, name: 'Dead letters' }).waitFor()
    })
  })
}

/** Pages that no menu names: each dashboard, a table of each format, a run. */
async function placesWithin(get: RunningConsole['get']): Promise<readonly string[]> {
  const { dashboards } = await get<{ dashboards: { pipeline: string }[] }>('/v1/dashboards')
  const { runs } = await get<{ runs: { id: string }[] }>('/v1/runs')
  return [
    ...dashboards.map(({ pipeline }) => `dashboards/${pipeline}`),
    ...['tables/bronze.user_events', 'tables/bronze.github_events'],
    ...[`runs/${runs[0]!.id}`, 'runs/schedules', 'runs/backfills'],
    '?node=bronze.user_events',
    'dead-letters?pipeline=user-events&hop=gateway',
  ]
}

type Page = Parameters<Parameters<RunningConsole['visit']>[1]>[0]

/** A first visit, with nothing kept from before: bytes over the wire, and when the menu can be used. */
async function firstLoad(page: Page, url: string): Promise<{ bytes: number; readyMs: number }> {
  const context = await page.context().browser()!.newContext()
  const fresh = await context.newPage()
  const loaded: Promise<number>[] = []
  fresh.on('requestfinished', (request) => {
    loaded.push(
      request.sizes().then(({ responseBodySize, responseHeadersSize }) => {
        return responseBodySize + responseHeadersSize
      }),
    )
  })
  const beginMs = performance.now()
  await fresh.goto(`${url}/console`)
  await fresh.getByRole('link', { name: 'Dead letters' }).click()
  await fresh.getByRole('heading', { level: 1, name: 'Dead letters' }).waitFor()
  const readyMs = Math.round(performance.now() - beginMs)
  const bytes = (await Promise.all(loaded)).reduce((sum, each) => sum + each, 0)
  await context.close()
  return { bytes, readyMs }
}
