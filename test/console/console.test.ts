import { afterAll, beforeAll, describe } from 'vitest'
import { ensureToolset } from '../services.ts'
import { dashboardStories } from './dashboards.suite.ts'
import { deadLetterStories } from './dead-letters.suite.ts'
import { keyboardStories } from './keyboard.suite.ts'
import { pageStories } from './pages.suite.ts'
import { riverStories } from './river.suite.ts'
import { type RunningConsole, startConsole } from './running-console.ts'
import { runStories } from './runs.suite.ts'
import { signInStories } from './sign-in.suite.ts'
import { sqlStories } from './sql.suite.ts'

// The console in a real browser. One platform for all stories, because filling it takes longest.

const tools = await ensureToolset('chromium')

describe.skipIf('skip' in tools)('the console', () => {
  let running: RunningConsole | undefined
  const open = () => running!

  beforeAll(async () => {
    if ('skip' in tools) return
    running = await startConsole(tools.environment.MEKONG_CHROMIUM!)
    // Half a minute on a machine of its own.
  }, 420_000)
  afterAll(() => running?.stop())

  describe('every page', () => pageStories(open))
  describe('dashboards', () => dashboardStories(open))
  describe('the river', () => riverStories(open))
  describe('runs', () => runStories(open))
  describe('SQL', () => sqlStories(open))
  describe('dead letters', () => deadLetterStories(open))
  describe('signing in', () => signInStories(open))
  describe('by keyboard alone', () => keyboardStories(open))
})
