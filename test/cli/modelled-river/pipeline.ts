import { int32, notNull, pipeline, record, text, unique } from 'mekong'

/** Readings, the hottest of each sensor as a table, and a view of those that are too hot. */
export default pipeline('modelled', (p) => {
  const readings = p.topic('readings', {
    value: record({ sensor: text(), celsius: int32(), reading_id: text({ min: 1 }) }),
    id: 'reading_id',
  })
  p.ingest('/readings', readings)
  p.table('bronze.readings', { from: readings })
  p.model('gold.hottest', new URL('./hottest.sql', import.meta.url), {
    tests: [notNull('sensor'), unique('sensor')],
    unitTests: [
      {
        name: 'the hottest of two',
        given: {
          'bronze.readings': [
            { sensor: 'a', celsius: 3 },
            { sensor: 'a', celsius: 5 },
          ],
        },
        expect: [{ sensor: 'a', celsius: 5, readings: 2 }],
      },
    ],
  })
  p.model('gold.too_hot', 'SELECT sensor FROM gold.hottest WHERE celsius > 90', {
    materialize: 'view',
    unitTests: [
      {
        name: 'the limit itself is not too hot',
        given: { 'gold.hottest': [{ sensor: 'a', celsius: 90 }] },
        expect: [],
      },
    ],
  })
  p.load({
    description: 'readings',
    path: '/readings',
    format: 'csv',
    matches: /\.csv$/,
    event: ({ sensor, celsius, id }) => ({
      sensor,
      celsius: Number(celsius),
      reading_id: String(id),
    }),
  })
})
