import { rmSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { mekong, mekongUp, newHome, SMALL_RIVER } from '../cli/run-mekong.ts'
import { type RunningConsole, settled } from './running-console.ts'

// On a platform of its own, because the first key closes it for everybody.

const WRITES = /^(Start a run|Maintenance|Replay|Drop)/

async function signIn(page: Page, key: string): Promise<void> {
  await page.getByLabel('API key').fill(key)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** What the page offers to do to the platform, by the names people see. */
async function offers(page: Page): Promise<readonly string[]> {
  const found = page.getByRole('main').locator('summary, button, a').filter({ visible: true })
  return (await found.allInnerTexts()).filter((text) => WRITES.test(text))
}

export function signInStories(open: () => RunningConsole): void {
  test('asks for a key, shows what its role may do, and forgets it', async () => {
    const home = newHome()
    const at = ['--home', home, '--config', SMALL_RIVER]
    const keys: Record<string, string> = {}
    for (const role of ['read', 'operate'])
      keys[role] = (await mekong(['keys', 'create', role, '--role', role, '--json', ...at])).json<{
        key: string
      }>().key
    const up = await mekongUp(at)
    try {
      const reading = { sensor: 'a', celsius: 20 }
      const posted = await fetch(`${up.url}/readings`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${keys.operate}` },
        body: JSON.stringify(reading),
      })
      expect(posted.status).toBe(202)
      const work = async (page: Page) => {
        await page.goto(`${up.url}/console/runs`)
        await signIn(page, 'mk_nobody_has_this_one')
        await page.getByRole('alert').getByText('This key is not known').waitFor()
        await signIn(page, keys.read!)
        await settled(page)
        expect(await offers(page)).toEqual([])
        await page.goto(`${up.url}/console/tables/bronze.readings/maintenance`)
        await page.getByRole('navigation', { name: 'bronze.readings' }).waitFor()
        expect(await offers(page)).toEqual([])
        await page.getByRole('button', { name: 'Sign out' }).click()
        await page.getByLabel('API key').waitFor()

        await signIn(page, keys.operate!)
        await page.getByRole('link', { name: 'Maintenance' }).waitFor()
        await page.goto(`${up.url}/console/runs`)
        await settled(page)
        expect(await offers(page)).toEqual(['Start a run'])
        const kept = await page.evaluate(() => [document.cookie, JSON.stringify(localStorage)])
        expect(kept.join()).not.toContain(keys.operate)
      }
      await open().visit('', work, { isRefused: true })
    } finally {
      await up.stop()
      rmSync(home, { recursive: true, force: true })
    }
  })
}
