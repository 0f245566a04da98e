import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { type RunningConsole, settled } from './running-console.ts'

export function sqlStories(open: () => RunningConsole): void {
  test('a question is completed, formatted, asked, drawn and taken home as a file', async () => {
    const { visit, ask } = open()
    await visit('sql', async (page) => {
      await settled(page)
      const editor = page.getByRole('textbox', { name: 'SQL' })
      await editor.click()
      await page.keyboard.press('Control+a')
      await page.keyboard.type('select event_category, count(*) as n from silver.github_ev')
      await page.getByRole('listbox').getByText('github_events', { exact: true }).waitFor()
      await page.keyboard.press('Escape')
      await page.keyboard.type('ents group by all order by n desc')
      await page.getByRole('button', { name: 'Format' }).click()
      await expect
        .poll(async () => (await editor.allInnerTexts()).join())
        .toContain('FROM silver.github_events\nGROUP BY ALL')
      await editor.press('Control+Enter')
      const rows = await ask(
        'SELECT event_category, count(*) AS n FROM silver.github_events GROUP BY ALL ORDER BY n DESC',
      )
      for (const [category] of rows)
        await page.getByRole('cell', { name: String(category) }).waitFor()
      await page.getByRole('button', { name: 'Chart' }).click()
      await page.getByRole('combobox', { name: 'Kind of chart' }).selectOption('bars')
      await page.getByRole('img', { name: 'n' }).locator('rect').first().waitFor()
      const downloading = page.waitForEvent('download')
      await page.getByRole('button', { name: 'Export CSV' }).click()
      const file = await (await downloading).path()
      const lines = (await readFile(file, 'utf8')).trim().split('\n')
      expect(lines).toEqual(['event_category,n', ...rows.map((row) => row.join(','))])
    })
  })

  test('what cannot be asked says why, and a question is kept under a name', async () => {
    const { visit } = open()
    await visit('sql?ask=SELECT%2042%20AS%20answer', async (page) => {
      await settled(page)
      await page.getByRole('textbox', { name: 'Name for this query' }).fill('the answer')
      await page.getByRole('button', { name: 'Save', exact: true }).click()
      await page.reload()
      await settled(page)
      await page.getByRole('combobox', { name: 'Saved queries' }).selectOption('the answer')
      await page.getByRole('button', { name: /^Ask/ }).click()
      await page.getByRole('cell', { name: '42' }).waitFor()
    })
  })
}
