import { defineConfig } from 'vitest/config'

/** `npm run nightly`: tables drawn at random and judged by other engines, many of them. */
export default defineConfig({
  test: {
    include: ['test/interop/*.test.ts'],
    env: { MEKONG_NIGHTLY: '1', MEKONG_REQUIRE_SERVICES: '1' },
    pool: 'forks',
    maxWorkers: 1,
    hookTimeout: 120_000,
  },
})
