import type { Bench } from './bench.ts'
export const freshness: Bench = {
  name: 'freshness',
  question: '',
  secondsDefault: 1,
  run: async () => ({ figures: {}, goals: [], limits: [] }),
}
