import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COMMAND_ACTIONS } from '../../src/cli/command-actions.ts'
import { COMMANDS } from '../../src/cli/commands.ts'
import { eventually, mekong, mekongUp, newHome, SMALL_RIVER } from './run-mekong.ts'

// Roles, sessions and the audit log from the command line, beside a running platform and without one.

const home = newHome()
const at = ['--home', home, '--config', SMALL_RIVER]
const run = (args: readonly string[], key?: string) =>
  mekong([...args, ...at], key === undefined ? {} : { MEKONG_API_KEY: key })
const runJson = async <T>(args: readonly string[], key?: string) =>
  (await run([...args, '--json'], key)).json<T>()

interface Entries {
  readonly entries: readonly Readonly<Record<string, unknown>>[]
}
const keys: Record<string, string> = {}

beforeAll(async () => {
  for (const role of ['read', 'operate', 'admin'])
    keys[role] = (await runJson<{ key: string }>(['keys', 'create', role, '--role', role])).key
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

test('every command says whether it changes something, or only looks', () => {
  const looking = [
    ...['audit', 'changes', 'config', 'describe', 'doctor', 'export', 'history', 'ledger'],
    ...['lineage', 'plan', 'schedules', 'sql', 'status', 'tables', 'test', 'topics'],
  ]
  const known = [...Object.keys(COMMAND_ACTIONS), ...looking].sort()
  expect(known).toEqual(COMMANDS.map(({ name }) => name).sort())
})

describe('keys', () => {
  test('have the role that was asked for, and operate where none was', async () => {
    const made = await runJson<{ role: string }>(['keys', 'add', 'plain'])
    expect(made.role).toBe('operate')
    const { keys: listed } = await runJson<{ keys: { name: string; role: string }[] }>([
      ...['keys', 'list'],
    ])
    expect(listed.map(({ name, role }) => `${name} ${role}`)).toEqual([
      ...['admin admin', 'operate operate', 'plain operate', 'read read'],
    ])
    expect((await run(['keys', 'list'])).out).toMatch(/^read +read /m)
    const wrong = await run(['keys', 'create', 'x', '--role', 'root'])
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('ingest, read, operate')])
  })
})

describe('the audit log', () => {
  test('has what commands did on the home itself, with who and how it ended', async () => {
    expect((await run(['keys', 'revoke', 'nobody'])).code).toBe(1)
    const { entries } = await runJson<Entries>(['audit', '--action', 'key'])
    expect(entries[0]).toMatchObject({
      ...{ by: 'command', action: 'key.revoke', subject: 'mekong keys revoke nobody' },
      ...{ outcome: 'failed', detail: 'KEY_NAME', address: null, role: null },
    })
    const added = entries.find(({ subject }) => subject === 'mekong keys add plain')
    expect(added).toMatchObject({ action: 'key.create', outcome: 'done', status: 0 })
    expect(entries[0]!.actor).not.toBe('')
    // The very first command made the file that the log is in.
    expect(entries.at(-1)).toMatchObject({
      subject: 'mekong keys create read --role read',
      outcome: 'done',
    })
    expect(JSON.stringify(entries)).not.toContain('mk_')
  })

  test('says nothing of commands that look, nor of dry runs', async () => {
    const before = (await runJson<Entries>(['audit'])).entries.length
    await run(['keys', 'list'])
    await run(['tables'])
    await run(['optimize', 'bronze.readings', '--dry-run'])
    expect((await runJson<Entries>(['audit'])).entries.length).toBe(before)
  })

  test('of a running platform has what was asked of it, once, by key', async () => {
    const up = await mekongUp(at)
    try {
      const refused = await run(['runs', 'cancel', 'nope'], keys.read)
      expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('role operate')])
      expect((await run(['runs', 'cancel', 'nope'], keys.operate)).code).toBe(1)
      const { entries } = await eventually(
        () => runJson<Entries>(['audit', '--action', 'run']),
        (found) => found.entries.length === 2 && found.entries[0]!.outcome !== 'begun',
      )
      expect(entries.map(({ actor, by, outcome }) => [actor, by, outcome])).toEqual([
        ['operate', 'key', 'failed'],
        ['read', 'key', 'refused'],
      ])
      const text = await run(['audit', '--limit', '2'])
      expect(text.out).toMatch(/run\.cancel +\/v1\/runs\/nope\/cancel +failed: run_missing/)

      const signIn = await fetch(`${up.url}/v1/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: up.url },
        body: JSON.stringify({ key: keys.read }),
      })
      const cookie = signIn.headers.get('set-cookie')!.split(';')[0]!
      const status = async () =>
        (await fetch(`${up.url}/v1/status`, { headers: { cookie } })).status
      expect(await status()).toBe(200)
      const { sessions } = await runJson<{ sessions: { id: string; key: string }[] }>(['sessions'])
      expect(sessions.map(({ key }) => key)).toEqual(['read'])
      expect((await run(['sessions', 'end', sessions[0]!.id])).code).toBe(0)
      expect(await status()).toBe(401)
      expect((await run(['sessions', 'end', sessions[0]!.id])).code).toBe(1)
    } finally {
      expect(await up.stop()).toBe(0)
    }
    const { entries } = await runJson<Entries>(['audit', '--action', 'platform'])
    expect(entries[0]).toMatchObject({ action: 'platform.start', outcome: 'done', status: 0 })
  })
})
