import { test } from 'vitest'
import { tellKillStory } from './kill-story.ts'

test('nothing acknowledged is lost or doubled in 8 kills', { timeout: 180_000 }, async () => {
  await tellKillStory({ name: '8 kills', killCount: 8 })
})
