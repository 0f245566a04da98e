import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { configurationPage } from '../../src/orchestrator/configuration-page.ts'
import { resolveSettings } from '../../src/orchestrator/resolve-settings.ts'
import { settingsInForce } from '../../src/orchestrator/setting-sources.ts'
import { SETTINGS } from '../../src/orchestrator/settings.ts'

test('docs/configuration.md is current (mekong config --markdown > docs/configuration.md)', () => {
  const file = path.resolve(import.meta.dirname, '../../docs/configuration.md')
  expect(readFileSync(file, 'utf8')).toBe(configurationPage())
})

test('every setting says where its value came from, and no secret is among them', () => {
  const file = { port: 8080, memoryMb: 512 }
  const variables = {
    MEKONG_PORT: '9090',
    POSTGRES_HOST: 'db',
    POSTGRES_DB: 'river',
    POSTGRES_USER: 'mekong',
    POSTGRES_PASSWORD: 'hunter2',
  }
  const inForce = settingsInForce(resolveSettings(file, variables), file, variables)
  const found = Object.fromEntries(
    inForce.map(({ name, value, source }) => [name, [value, source]]),
  )
  expect(Object.keys(found)).toEqual(Object.keys(SETTINGS))
  expect(found).toMatchObject({
    host: ['127.0.0.1', 'default'],
    port: [9090, 'environment'],
    memoryMb: [512, 'config file'],
    postgres: ['server', 'derived'],
    postgresPassword: ['***', 'environment'],
    kafkaBrokers: [null, 'default'],
  })
  expect(JSON.stringify(inForce)).not.toContain('hunter2')
})
