import { expect, test } from 'vitest'
import { createMeter } from '../../src/model/meter.ts'

test('renders the Prometheus text format', () => {
  const meter = createMeter()
  const requests = meter.counter({
    name: 'requests_total',
    help: 'Requests\nand "more" \\ so on.',
    labels: ['route', 'status'],
  })
  requests.with({ route: '/a"\\\n', status: '202' }).add(2)
  requests.with({ status: '202', route: '/a"\\\n' }).add(1)
  meter.gauge({ name: 'fullness_ratio', help: 'How full.' }).with({}).set(0.25)
  const seconds = meter
    .histogram({ name: 'wait_seconds', help: 'Waits.', labels: ['who'], buckets: [0.1, 1] })
    .with({ who: 'me' })
  for (const value of [0.05, 0.1, 0.5, 7]) seconds.observe(value)
  expect(meter.render()).toBe(`# HELP requests_total Requests\\nand "more" \\\\ so on.
# TYPE requests_total counter
requests_total{route="/a\\"\\\\\\n",status="202"} 3
# HELP fullness_ratio How full.
# TYPE fullness_ratio gauge
fullness_ratio 0.25
# HELP wait_seconds Waits.
# TYPE wait_seconds histogram
wait_seconds_bucket{who="me",le="0.1"} 2
wait_seconds_bucket{who="me",le="1"} 3
wait_seconds_bucket{who="me",le="+Inf"} 4
wait_seconds_sum{who="me"} 7.65
wait_seconds_count{who="me"} 4
`)
})

test('one name is one family, and readers run before rendering', () => {
  const meter = createMeter()
  const make = () => meter.counter({ name: 'x_total', help: 'X.' }).with({})
  make().add(1)
  make().add(1)
  const level = meter.gauge({ name: 'level', help: 'Level.' }).with({})
  meter.beforeRender(() => level.set(Number.POSITIVE_INFINITY))
  expect(meter.render()).toContain('x_total 2\n')
  expect(meter.render()).toContain('level +Inf\n')
})
