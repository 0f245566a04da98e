import { chart, dashboard, int32, int64, optional, pipeline, record, text } from 'mekong'

const Reading = record({
  sensor: text({ min: 1 }),
  celsius: int32(),
  reading_id: optional(text({ min: 1 })),
})

/**
 * A river without a serving store, which starts in a moment: the gateway rejects what is no reading, the hop filters what is
 * frozen and throws at what is on fire.
 */
export default pipeline('readings', (p) => {
  const readings = p.topic('readings', {
    value: Reading,
    key: 'sensor',
    id: 'reading_id',
    partitions: 2,
  })
  p.ingest('/readings', readings)
  p.table('bronze.readings', {
    from: readings
      .filter(({ celsius }) => celsius > 0)
      .map(record({ sensor: text(), celsius: int32({ doc: 'How warm it was.' }) }), (reading) => {
        if (reading.celsius > 1_000) throw new RangeError(`${reading.sensor} is on fire`)
        return { sensor: reading.sensor, celsius: reading.celsius }
      }),
  })
  p.dashboard(
    dashboard('Readings', [
      chart('How many', {
        sql: 'SELECT count(*) AS readings FROM bronze.readings',
        rows: record({ readings: int64() }),
        show: { kind: 'number', value: 'readings' },
      }),
    ]),
  )
})
