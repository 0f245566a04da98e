import { int32, pipeline, record, text } from 'mekong'

const Reading = record({ sensor: text({ min: 1 }), celsius: int32() })

/** Twenty doors, and from each a river of ten nodes, with some that join: more than a person looks at, and no more than a screen must bear. */
export default pipeline('wide', (p) => {
  for (let arm = 1; arm <= 20; arm += 1) {
    const topic = p.topic(`arm-${arm}`, { value: Reading, partitions: 1 })
    p.ingest(`/arm/${arm}`, topic)
    p.table(`bronze.arm_${arm}`, { from: topic })
    for (let level = 1; level <= 7; level += 1) {
      const before = level === 1 ? `bronze.arm_${arm}` : `gold.arm_${arm}_${level - 1}`
      const beside = level === 4 ? [`gold.arm_${(arm % 20) + 1}_3`] : []
      p.step(`arm-${arm}-${level}`, {
        reads: [before, ...beside],
        writes: [`gold.arm_${arm}_${level}`],
        run: async () => ({ status: 'done', facts: { rows: arm * level } }),
      })
    }
  }
})
