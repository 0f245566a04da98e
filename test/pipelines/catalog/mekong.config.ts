import { defineConfig } from 'mekong'

/** The pipeline alone, so that nothing else needs to start. */
export default defineConfig({
  pipelines: ['../../../pipelines/catalog/pipeline.ts'],
  port: 0,
  lakeIntervalMs: 0,
  memoryMb: 512,
})
