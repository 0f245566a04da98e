import { defineConfig } from 'vitest/config'

const TWO_WAY = ['clickhouse', 'delta-rs', 'delta-spark', 'iceberg-spark', 'pyiceberg']

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Longer than a push should wait for: `npm run crash` and `npm run nightly` have them. Of the tables that go both ways with other engines a
    // few are looked at here too, for seconds with each engine.
    exclude: ['test/crash/*.long.test.ts', `test/interop/!(${TWO_WAY.join('|')}).test.ts`],
    pool: 'forks',
    maxWorkers: 2,
    // The machine may be busy; what is slow for its own sake says so itself.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
