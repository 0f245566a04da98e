import { expect, test } from 'vitest'
import { type RunningConsole, settled } from './running-console.ts'

export function deadLetterStories(open: () => RunningConsole): void {
  test('a dead letter is mended and replayed by mouse, and arrives as a row', async () => {
    const { visit, post, ask } = open()
    const movie = 876_543
    const event = { user_id: 'nobody', movie_id: movie, event_type: 'click', timestamp: Date.now() }
    await post('/events', event)
    await visit('dead-letters', async (page) => {
      await settled(page)
      await page.getByRole('link', { name: /^wrong_type/ }).click()
      const letter = page.getByRole('listitem').filter({ hasText: String(movie) })
      await letter.getByRole('button', { expanded: false }).click()
      const outcome = letter.getByRole('status', { name: 'What becomes of it' })
      await outcome.getByText('would die again').waitFor()
      const value = letter.getByRole('textbox', { name: 'Mended' })
      await value.fill(JSON.stringify({ ...event, user_id: 77 }))
      await outcome.getByText('becomes a row').waitFor()
      await letter.getByRole('button', { name: 'Save and replay' }).click()
      await page.getByText('Sent back to').waitFor()
      const rows = () => ask(`SELECT user_id FROM bronze.user_events WHERE movie_id = ${movie}`)
      await expect.poll(rows, { timeout: 20_000 }).toEqual([[77]])
    })
  })
}
