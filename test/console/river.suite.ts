import { rmSync } from 'node:fs'
import path from 'node:path'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { mekongUp, newHome } from '../cli/run-mekong.ts'
import { type RunningConsole, settled } from './running-console.ts'

const WIDE_RIVER = path.join(import.meta.dirname, 'wide-river', 'mekong.config.ts')

const node = (page: Page, name: string) =>
  page.getByRole('main').getByRole('button', { name: new RegExp(`^${name}\\b`) })

export function riverStories(open: () => RunningConsole): void {
  test('a node tells what it knows, and leads to where more is', async () => {
    const { visit, ask } = open()
    await visit('', async (page) => {
      await settled(page)
      await node(page, 'bronze.github_events').click()
      const panel = page.getByRole('complementary', { name: 'bronze.github_events' })
      const [[rows]] = (await ask('SELECT count(*) FROM bronze.github_events')) as [[number]]
      await panel.getByText(rows.toLocaleString('en')).first().waitFor()
      await panel.getByText('balanced', { exact: true }).waitFor()
      await panel.getByRole('button', { name: 'github-events', exact: true }).click()
      const topic = page.getByRole('complementary', { name: 'github-events' })
      await topic.getByText('refused').waitFor()
      await topic.getByRole('link', { name: 'Dead letters' }).click()
      await page.getByRole('heading', { level: 1, name: 'Dead letters' }).waitFor()
      expect(new URL(page.url()).searchParams.get('pipeline')).toBe('github-events')
      await page.goBack()
      await node(page, 'gold.github_user_activity').click()
      await page.getByRole('link', { name: 'Last run' }).click()
      await page.getByRole('heading', { level: 1, name: /^Runs \// }).waitFor()
    })
  })

  test('on a phone every node is seen whole, each below what it comes from', async () => {
    await open().visit(
      '',
      async (page) => {
        await settled(page)
        await node(page, 'gold.product_demand').waitFor()
        const boxes = await page.locator('.node').evaluateAll((nodes) =>
          nodes.map((each) => {
            const { left, right, top } = each.getBoundingClientRect()
            return { left, right, top }
          }),
        )
        expect(boxes.length).toBeGreaterThan(20)
        for (const { left, right } of boxes) {
          expect(left).toBeGreaterThanOrEqual(0)
          expect(right).toBeLessThanOrEqual(390)
        }
        const top = async (name: string) => (await node(page, name).boundingBox())!.y
        const way = ['/order', 'silver.orders', 'gold.product_demand', 'gold.product_surges']
        const tops = await Promise.all(way.map(top))
        expect(tops).toEqual(tops.toSorted((a, b) => a - b))
        // No gap in which a node more would have had room.
        const below = boxes.map((box) => box.top).sort((a, b) => a - b)
        for (const [index, at] of below.entries())
          expect(at - (below[index - 1] ?? at)).toBeLessThan(2 * 66)
      },
      { width: 390 },
    )
  })

  test('two hundred nodes move smoothly while records flow', async () => {
    const home = newHome()
    const wide = await mekongUp(['--home', home, '--config', WIDE_RIVER])
    try {
      await open().visit('', async (page) => {
        await page.goto(`${wide.url}/console`)
        await settled(page)
        const nodes = page.getByRole('main').getByRole('button', { name: /arm/ })
        await nodes.first().waitFor()
        expect(await nodes.count()).toBe(200)
        const flowing = Array.from({ length: 20 }, (_, arm) =>
          fetch(`${wide.url}/arm/${arm + 1}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(Array(20).fill({ sensor: 'a', celsius: 20 })),
          }),
        )
        const { medianMs, p95Ms } = await frames(page)
        await Promise.all(flowing)
        console.log(`200 nodes: a frame every ${medianMs} ms (median), ${p95Ms} ms (95 of 100)`)
        // Sixty a second on a machine of its own; a busy one draws fewer, and far fewer would be our doing.
        expect(medianMs).toBeLessThan(100)
        await nodes.last().click()
        await page.getByRole('complementary').waitFor()
      })
    } finally {
      await wide.stop()
      rmSync(home, { recursive: true, force: true })
    }
  })
}

/** The times between frames for some seconds. */
function frames(page: Page): Promise<{ medianMs: number; p95Ms: number }> {
  return page.evaluate(
    () =>
      new Promise((resolve) => {
        const gaps: number[] = []
        let before = performance.now()
        const end = before + 3_000
        const frame = (now: number) => {
          gaps.push(Math.round(now - before))
          before = now
          if (now < end) {
            requestAnimationFrame(frame)
            return
          }
          gaps.sort((a, b) => a - b)
          resolve({
            medianMs: gaps[gaps.length >> 1]!,
            p95Ms: gaps[Math.floor(gaps.length * 0.95)]!,
          })
        }
        requestAnimationFrame(frame)
      }),
  )
}
