import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.ts'
import { mekong } from './run-mekong.ts'

describe('help', () => {
  test('teaches: every command says what it is, how it is written, and shows an example of itself', () => {
    for (const { name, summary, usage, about, examples } of COMMANDS) {
      expect(summary, name).not.toBe('')
      expect(usage.startsWith(name), name).toBe(true)
      expect(about.trim().length, name).toBeGreaterThan(80)
      expect(
        examples.some(([command]) => command.includes(`mekong ${name}`)),
        name,
      ).toBe(true)
    }
  })

  test('lists all commands, and shows one with its options', async () => {
    const overview = await mekong(['--help'])
    expect(overview.code).toBe(0)
    for (const { name } of COMMANDS) expect(overview.out).toMatch(new RegExp(`^  ${name} `, 'm'))
    const one = await mekong(['dlq', '--help'])
    expect(one.out).toContain('--set FIELD=JSON')
    expect(one.out).toContain('--home DIR')
    expect(one.out).toContain('mekong dlq replay 3k9')
  })

  test('a command written wrongly ends with 2 and says how it should be', async () => {
    const [unknown, verb, option, json] = await Promise.all([
      mekong(['tabels']),
      mekong(['dlq', 'lst']),
      mekong(['tables', '--wide']),
      mekong(['describe', '--json']),
    ])
    expect([unknown.code, verb.code, option.code, json.code]).toEqual([2, 2, 2, 2])
    expect(unknown.err).toContain('tables')
    expect(verb.err).toContain('list, show, fix, replay, drop')
    expect(option.err).toContain('--json')
    expect(json.json()).toMatchObject({ ok: false, error: { code: 'USAGE' } })
  })
})
