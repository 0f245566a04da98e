import { test } from 'vitest'
import { tellKillStory } from './kill-story.ts'

test('nothing acknowledged is lost or doubled in 60 kills', { timeout: 900_000 }, async () => {
  await tellKillStory({ name: '60 kills', killCount: 60 })
})
