import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Longer than a push should wait for: `npm run crash` and `npm run nightly` have them.
    exclude: ['test/crash/*.long.test.ts', 'test/interop/**'],
    pool: 'forks',
    maxWorkers: 2,
    // The machine may be busy; what is slow for its own sake says so itself.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
