import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { type RunningConsole, settled } from './running-console.ts'

export function runStories(open: () => RunningConsole): void {
  test('a run is begun by selector, its tasks and their log are seen, and it is done again', async () => {
    const story = async (page: Page) => {
      await settled(page)
      await page.getByText('Start a run').click()
      const field = page.getByRole('combobox', { name: 'What to run' })
      await field.fill('gold.nobody')
      await page.getByText('"gold.nobody" names no task').waitFor()
      await field.fill('gold.product_demand+')
      await page.getByText(/\d would run: gold\.product_demand, gold\.product_surges/).waitFor()
      await page.getByRole('button', { name: 'Start', exact: true }).click()
      await page.getByRole('heading', { level: 1, name: /gold\.product_demand/ }).waitFor()
      await page.getByText('succeeded').first().waitFor()
      const first = page.url()
      await page.getByRole('button', { name: 'gold.product_surges', exact: true }).click()
      await page.getByRole('heading', { name: /^Log gold\.product_surges/ }).waitFor()
      await page.getByRole('button', { name: 'Run again' }).click()
      await expect.poll(() => page.url()).not.toBe(first)
      await page.getByText('succeeded').first().waitFor()
    }
    await open().visit('runs', story, { isRefused: true })
  })

  test('schedules say when they run next, and run now when asked', async () => {
    await open().visit('runs/schedules', async (page) => {
      await settled(page)
      const hourly = page.getByRole('listitem').filter({ hasText: 'orders/surges' })
      await hourly.getByText(/in \d+ min/).waitFor()
      await hourly.getByRole('button', { name: /Run now/ }).click()
      await page.getByRole('heading', { level: 1, name: /^Runs \// }).waitFor()
    })
  })

  test('a backfill is begun, paused, gone on with, and its parts are runs', async () => {
    await open().visit('runs/backfills', async (page) => {
      await settled(page)
      await page.getByText('Start a backfill').click()
      await page.getByRole('combobox', { name: 'What to run' }).fill('gold.github_user_activity')
      await page.getByLabel('From day').fill('2026-01-01')
      await page.getByLabel('To day').fill('2026-03-31')
      await page.getByLabel('Days in a part').fill('3')
      await page.getByRole('button', { name: 'Start', exact: true }).click()
      const backfill = page.getByRole('article', { name: 'gold.github_user_activity' })
      await backfill.getByRole('button', { name: /^Pause/ }).click()
      await backfill.getByText('paused').waitFor()
      await backfill.getByRole('button', { name: /^Go on/ }).click()
      await backfill.getByText('running').waitFor()
      const part = backfill.getByRole('link', { name: /: done$/ }).first()
      await part.waitFor()
      await backfill.getByRole('button', { name: /^Cancel/ }).click()
      await backfill.getByText('cancelled').waitFor()
      await part.click()
      await page.getByRole('heading', { level: 1, name: /2026-01-01 – 2026-01-03/ }).waitFor()
    })
  })
}
