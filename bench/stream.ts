import type { Bench } from './bench.ts'
export const stream: Bench = {
  name: 'stream',
  question: '',
  secondsDefault: 1,
  run: async () => ({ figures: {}, goals: [], limits: [] }),
}
