import { defineConfig } from 'mekong'

export default defineConfig({
  pipelines: ['./pipeline.ts'],
  port: 0,
  memoryMb: 256,
})
