import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { placesOfMenu, type RunningConsole, settled } from './running-console.ts'

/** More than any page has to be tabbed through. */
const TABS_MAX = 400

export function keyboardStories(open: () => RunningConsole): void {
  test('every page is reached from the menu, and all that it offers is reached and has a name', async () => {
    await open().visit('', async (page) => {
      await settled(page)
      for (const place of await placesOfMenu(page)) {
        await page.locator('body').press('Home')
        await tabTo(page, place)
        await page.keyboard.press('Enter')
        await settled(page)
        expect(new URL(page.url()).pathname).toBe(`/console${place === '' ? '' : `/${place}`}`)
        expect(await unreached(page), place).toEqual([])
      }
    })
  })
}

/** Press Tab until the menu's link is focused. */
async function tabTo(page: Page, place: string): Promise<void> {
  for (let press = 0; press < TABS_MAX; press += 1) {
    await page.keyboard.press('Tab')
    const href = await page.evaluate(() => document.activeElement?.getAttribute('href') ?? null)
    if (href === `/console${place === '' ? '' : `/${place}`}`) return
  }
  throw new Error(`Tab never reached the link to "${place}".`)
}

/** Buttons, links and fields of the page that Tab does not reach, and those without a name. */
async function unreached(page: Page): Promise<readonly string[]> {
  await page.evaluate(() => {
    const offered = document.querySelectorAll('button, a[href], input, select, textarea')
    for (const each of offered) {
      const { disabled } = each as HTMLButtonElement
      if (disabled !== true && (each as HTMLElement).checkVisibility())
        each.setAttribute('data-offered', '')
    }
    document.addEventListener('focusin', ({ target }) =>
      (target as HTMLElement).removeAttribute('data-offered'),
    )
    ;(document.activeElement as HTMLElement | null)?.blur()
  })
  const left = page.locator('[data-offered]')
  for (let press = 0; press < TABS_MAX && (await left.count()) > 0; press += 1)
    await page.keyboard.press('Tab')
  return page.evaluate(() => {
    const nameless = [
      ...document.querySelectorAll('main button, main a[href], main input, main select'),
    ].filter(
      (each) =>
        (each.textContent ?? '').trim() === '' &&
        !each.hasAttribute('aria-label') &&
        (each as HTMLInputElement).labels?.length !== 1,
    )
    return [...document.querySelectorAll('[data-offered]'), ...nameless].map((each) =>
      each.outerHTML.slice(0, 120),
    )
  })
}
