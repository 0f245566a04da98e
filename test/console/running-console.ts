import { existsSync, rmSync } from 'node:fs'
import path from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'
import { mekong, mekongUp, newHome } from '../cli/run-mekong.ts'

// The console as people meet it: a platform of its own process with the demo's data, and a real browser.

const BUILT = path.resolve(import.meta.dirname, '../../console/dist/index.html')

/** Enough for every chart to have something to show, and few enough that a big number shows each event. */
const EVENTS = '3000'

const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
]

export interface VisitOptions {
  /** Pixels; default 1440. */
  readonly width?: number
  readonly scheme?: 'light' | 'dark'
  readonly language?: 'en' | 'vi'
  /** The story asks for things that the API refuses, which a browser logs as errors by itself. */
  readonly isRefused?: boolean
}

export interface RunningConsole {
  readonly url: string
  /** A browser of its own. */
  browser(): Promise<Browser>
  /** Rows of a question, asked of the API. */
  ask(sql: string): Promise<readonly (readonly unknown[])[]>
  get<T>(path: string): Promise<T>
  post(path: string, body: unknown): Promise<Response>
  /**
   * Do something in a window that starts at a place of the console (`tables/bronze.user_events`). Whatever the page complains of in its own console, refused
   * content included, fails the test.
   */
  visit(place: string, work: (page: Page) => Promise<void>, options?: VisitOptions): Promise<void>
  stop(): Promise<void>
}

/** @param program where the browser is */
export async function startConsole(program: string): Promise<RunningConsole> {
  if (!existsSync(BUILT))
    throw new Error('The console is not built; run `node scripts/install.mjs` once.')
  const home = newHome()
  const ports = { MEKONG_PORT: '0', POSTGRES_PORT: '0' }
  const demo = await mekong(['demo', '--exit', '--events', EVENTS, '--home', home], ports)
  if (demo.code !== 0) throw new Error(`The demo did not play:\n${demo.out}\n${demo.err}`)
  const up = await mekongUp(['--home', home], ports)
  const browsers: Browser[] = []
  const browser = async () => {
    const opened = await chromium.launch({ executablePath: program, args: FLAGS })
    browsers.push(opened)
    return opened
  }
  const first = await browser()
  const post = (place: string, body: unknown) =>
    fetch(`${up.url}${place}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  return {
    url: up.url,
    browser,
    post,
    async ask(sql) {
      const answer = await post('/v1/sql', { sql })
      const { rows, detail } = (await answer.json()) as { rows?: unknown[][]; detail?: string }
      if (rows === undefined) throw new Error(`${sql}\n${detail}`)
      return rows
    },
    get: async <T>(place: string) => (await fetch(`${up.url}${place}`)).json() as Promise<T>,
    visit: (place, work, options) => visit(first, `${up.url}/console/${place}`, work, options),
    async stop() {
      for (const each of browsers) await each.close()
      await up.stop()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

async function visit(
  browser: Browser,
  address: string,
  work: (page: Page) => Promise<void>,
  options: VisitOptions = {},
): Promise<void> {
  const context = await newWindow(browser, options)
  try {
    const page = await context.newPage()
    const complaints = complaintsOf(page, options)
    await page.goto(address)
    await work(page)
    expect(complaints).toEqual([])
  } finally {
    await context.close()
  }
}

async function newWindow(
  browser: Browser,
  { width = 1440, scheme = 'light', language = 'en' }: VisitOptions,
): Promise<BrowserContext> {
  const context = await browser.newContext({
    viewport: { width, height: width < 500 ? 844 : 1000 },
    colorScheme: scheme,
    locale: language,
  })
  context.setDefaultTimeout(20_000)
  return context
}

function complaintsOf(page: Page, { isRefused }: VisitOptions): readonly string[] {
  const complaints: string[] = []
  page.on('console', (message) => {
    if (isRefused === true && /status of 4\d\d/.test(message.text())) return
    if (message.type() === 'error') complaints.push(`${page.url()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.message}`))
  return complaints
}

/** Wait until a page has said what it has to say. */
export async function settled(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor()
  // Several parts may be waiting; the first is none once all have come.
  const waiting = page.getByText(/One moment …|Chờ một chút …/).first()
  await waiting.waitFor({ state: 'detached' })
}

/** Where the menu of the console leads, as the page has it: `dashboards`, `tables`, … */
export async function placesOfMenu(page: Page): Promise<readonly string[]> {
  const hrefs = await page
    .getByRole('navigation')
    .first()
    .getByRole('link')
    .evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''))
  return [...new Set(hrefs.map((href) => href.replace(/^\/console\/?/, '')))]
}
