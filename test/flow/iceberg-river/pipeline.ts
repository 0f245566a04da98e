import { day, int32, pipeline, record, text, timestamp } from 'mekong'

const Reading = record({
  reading_id: text({ min: 1 }),
  celsius: int32(),
  at: timestamp(),
})

/** One topic into an Iceberg table laid by day: what is frozen is filtered, and what is on fire makes a dead letter. */
export default pipeline('readings', (p) => {
  const readings = p.topic('readings', { value: Reading, id: 'reading_id', partitions: 2 })
  p.ingest('/readings', readings)
  p.table('bronze.readings', {
    from: readings
      .filter(({ celsius }) => celsius > 0)
      .map(Reading, (reading) => {
        if (reading.celsius > 1_000) throw new RangeError(`${reading.reading_id} is on fire`)
        return reading
      }),
    format: 'iceberg',
    partitionBy: day('at'),
    properties: { 'write.metadata.compression-codec': 'gzip', comment: 'How warm it was.' },
  })
})
