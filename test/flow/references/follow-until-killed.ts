import { followItems } from './followed-items.ts'

// Follows the table until somebody ends this process, and says when it has begun.

const items = await followItems({
  folder: process.argv[2]!,
  variables: process.env as Record<string, string>,
})
await items.reference.ready
process.stdout.write(`${JSON.stringify(items.notices)}\n`)
setInterval(() => {}, 1_000)
