import { defineConfig } from 'vitest/config'

/** `npm run crash`: the stories that take minutes. Their short versions are part of `npm test`. */
export default defineConfig({
  test: {
    include: ['test/crash/*.long.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    hookTimeout: 120_000,
  },
})
