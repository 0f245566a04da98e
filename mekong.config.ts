import { defineConfig } from 'mekong'

export default defineConfig({
  pipelines: ['./pipelines/*/pipeline.ts'],
})
