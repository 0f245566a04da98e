import { defineConfig } from 'mekong'

export default defineConfig({
  pipelines: [
    '../../../pipelines/user-events/pipeline.ts',
    '../../../pipelines/github-events/pipeline.ts',
  ],
  port: 0,
  postgresPort: 0,
  lakeIntervalMs: 0,
  memoryMb: 256,
})
