import { defineConfig } from 'mekong'

export default defineConfig({ pipelines: ['./pipeline.ts'] })
