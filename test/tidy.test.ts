import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

// The house rules that nothing else would keep: which room may import which, no file cycles, no inner barrels,
// no words that say nothing in file names. A wall that nothing checks does not stand.

const ROOT = path.resolve(import.meta.dirname, '..')

/** Room → rooms it may import. A room may always import itself. Order is the order in which data flows. */
const ROOMS: Record<string, readonly string[]> = {
  model: [],
  storage: ['model'],
  pipeline: ['model'],
  collect: ['model'],
  gateway: ['model'],
  log: ['model', 'storage'],
  stream: ['model'],
  enrich: ['model'],
  lake: ['model'],
  sql: ['model'],
  serve: ['model'],
  state: ['model'],
}
const BELOW_FLOW = Object.keys(ROOMS)
const UPPER: Record<string, readonly string[]> = {
  flow: BELOW_FLOW,
  orchestrator: ['flow', ...BELOW_FLOW],
  api: ['orchestrator', 'flow', ...BELOW_FLOW],
  cli: ['api', 'orchestrator', 'flow', ...BELOW_FLOW],
}
const MAY_IMPORT: Record<string, readonly string[]> = { ...ROOMS, ...UPPER }

const EMPTY_WORDS =
  /^(utils?|helpers?|manager|common|misc|shared|base|service|handler|data|process)$/

function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name)))
    .sort()
}

function importsOf(file: string): string[] {
  const source = readFileSync(path.join(ROOT, file), 'utf8')
  const found = source.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^'"\n]*?(?:\{[^}]*\}[^'"\n]*?)?from\s*['"]([^'"]+)['"]/g,
  )
  const dynamic = source.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)
  const bare = source.matchAll(/(?:^|\n)import\s*['"]([^'"]+)['"]/g)
  return [...found, ...dynamic, ...bare].map((match) => match[1]!)
}

const sources = filesBelow('src', '.ts')
const graph = new Map(
  sources.map((file) => [
    file,
    importsOf(file)
      .filter((target) => target.startsWith('.') && target.endsWith('.ts'))
      .map((target) => path.normalize(path.join(path.dirname(file), target))),
  ]),
)
const roomOf = (file: string) => file.split(path.sep)[1]!

describe('tidy', () => {
  test('every folder in src is a room we know', () => {
    const rooms = new Set(sources.filter((file) => file.split(path.sep).length > 2).map(roomOf))
    expect([...rooms].filter((room) => !(room in MAY_IMPORT))).toEqual([])
  })

  test('rooms import downwards only, never sideways', () => {
    const broken: string[] = []
    for (const [file, targets] of graph) {
      if (file === path.join('src', 'index.ts')) continue
      for (const target of targets) {
        const from = roomOf(file)
        const to = roomOf(target)
        if (from === to) continue
        if (target === path.join('src', 'index.ts'))
          broken.push(`${file} imports the public barrel`)
        else if (!MAY_IMPORT[from]?.includes(to))
          broken.push(`${file} imports ${target}: ${from} may not import ${to}`)
      }
    }
    expect(broken).toEqual([])
  })

  test('every relative import names an existing file, with its ending', () => {
    const known = new Set(sources)
    const missing = [...graph].flatMap(([file, targets]) =>
      targets.filter((t) => !known.has(t) && !t.endsWith('.json')).map((t) => `${file} → ${t}`),
    )
    expect(missing).toEqual([])
  })

  test('no file cycles', () => {
    const done = new Set<string>()
    const cycles: string[] = []
    const walk = (file: string, trail: readonly string[]) => {
      const at = trail.indexOf(file)
      if (at >= 0) cycles.push([...trail.slice(at), file].join(' → '))
      if (at >= 0 || done.has(file)) return
      for (const target of graph.get(file) ?? []) walk(target, [...trail, file])
      done.add(file)
    }
    for (const file of sources) walk(file, [])
    expect(cycles).toEqual([])
  })

  test('one public barrel, no inner ones', () => {
    expect(sources.filter((file) => path.basename(file) === 'index.ts')).toEqual([
      path.join('src', 'index.ts'),
    ])
  })

  test('file names say something, in kebab-case', () => {
    const all = [...sources, ...filesBelow('test', '.ts'), ...filesBelow('pipelines', '.ts')]
    const bad = all.filter((file) => {
      const words = path.basename(file).replace(/(\.\w+)*\.ts$/, '')
      return EMPTY_WORDS.test(words) || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(words)
    })
    expect(bad).toEqual([])
  })

  test('only the command line reads the environment or ends the process', () => {
    const bad = sources.filter(
      (file) =>
        roomOf(file) !== 'cli' &&
        /process\.(env|exit)\b/.test(readFileSync(path.join(ROOT, file), 'utf8')),
    )
    expect(bad).toEqual([])
  })

  test('reference pipelines import mekong and their own files only', () => {
    const bad = filesBelow('pipelines', '.ts').flatMap((file) =>
      importsOf(file)
        .filter(
          (target) =>
            !(target === 'mekong' || target.startsWith('node:') || target.startsWith('.')),
        )
        .map((target) => `${file} imports ${target}`),
    )
    expect(bad).toEqual([])
  })
})
