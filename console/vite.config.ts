import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  root: import.meta.dirname,
  base: '/console/',
  plugins: [react()],
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2023', reportCompressedSize: true },
  // While the console itself is worked on: the platform answers, Vite serves the page.
  server: { proxy: { '/v1': 'http://127.0.0.1:7070' } },
})
