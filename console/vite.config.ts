import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const SHRINKS = /\.(html|js|css|svg)$/

/** Every text of the console beside itself as `.br` and `.gz`, so that whoever hands it out has nothing to compress. */
const compressed: Plugin = {
  name: 'compressed',
  apply: 'build',
  writeBundle({ dir }) {
    for (const entry of readdirSync(dir!, { recursive: true, encoding: 'utf8' })) {
      if (!SHRINKS.test(entry)) continue
      const file = path.join(dir!, entry)
      const bytes = readFileSync(file)
      writeFileSync(`${file}.br`, brotliCompressSync(bytes))
      writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }))
    }
  },
}

export default defineConfig({
  root: import.meta.dirname,
  base: '/console/',
  plugins: [react(), compressed],
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2023', reportCompressedSize: true },
  // While the console itself is worked on: the platform answers, Vite serves the page.
  server: { proxy: { '/v1': 'http://127.0.0.1:7070' } },
})
