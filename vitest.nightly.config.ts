import { defineConfig } from 'vitest/config'

/** `npm run nightly`: the tests of `npm test` that draw at random, with twenty times as many draws. */
export default defineConfig({
  test: {
    include: ['test/interop/*.test.ts'],
    env: { MEKONG_NIGHTLY: '1', MEKONG_REQUIRE_SERVICES: '1' },
    pool: 'forks',
    maxWorkers: 1,
    hookTimeout: 120_000,
  },
})
