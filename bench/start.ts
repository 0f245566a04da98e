import type { Bench } from './bench.ts'
export const start: Bench = {
  name: 'start',
  question: '',
  secondsDefault: 1,
  run: async () => ({ figures: {}, goals: [], limits: [] }),
}
