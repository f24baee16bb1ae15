import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { launch, type Browser } from 'puppeteer-core'
import { Guard, quoted } from './guard.js'
import { openTestPage, type PageOptions, type TestPage } from './test-page.js'

export type { PageOptions, TestPage } from './test-page.js'

interface Found {
  readonly program?: string
  readonly missing?: string
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const found = await findBrowser()

/** Memory of containers is small, nothing is drawn on a screen, and no page may reach anything but this machine. */
const ARGUMENTS = [
  '--disable-dev-shm-usage',
  '--disable-gpu',
  '--disable-extensions',
  '--mute-audio',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
]

/** The first start of a browser reads hundreds of megabytes. */
const START_TIMEOUT_MS = 100_000

interface Opened {
  readonly browser: Browser
  readonly close: () => Promise<void>
}

let shared: Promise<Opened> | undefined

/**
 * Like `describe`, for tests that drive pages ({@link inPage}). One headless Chromium, with a profile of its own, serves all of them;
 * it starts with the first page and ends with the suite. Without Chromium the tests fail in CI, and elsewhere are left out with a line
 * that says what is missing.
 */
export function describeBrowser(title: string, body: (this: Mocha.Suite) => void): void {
  if (found.program !== undefined) {
    describe(title, function () {
      after('end the browser', async () => {
        const opened = await shared?.catch(() => undefined)
        shared = undefined
        await opened?.close()
      })
      body.call(this)
    })
    return
  }
  const why = found.missing ?? 'scripts/chromium.mjs did not say what it found'
  if (process.env['CI'] !== undefined) {
    describe(title, () => it('finds Chromium', () => Promise.reject(new Error(why))))
    return
  }
  process.stderr.write(`left out: ${title}: ${why}\n`)
}

/**
 * Gives `test` a page of its own, without the cookies and the storage of others. When `test` has ended, whatever the page complained of
 * (errors in its console, failed requests, violations of its content security policy) fails it.
 *
 * @example
 * it('shows how far it is', () => inPage({ viewport: 'phone' }, async (page) => { await page.goto(url) … }))
 */
export async function inPage(options: PageOptions, test: (page: TestPage) => Promise<void>): Promise<void> {
  shared ??= openBrowser()
  const { browser } = await shared
  const context = await browser.createBrowserContext()
  try {
    const page = await openTestPage(await context.newPage(), options)
    await test(page)
    const faults = await page.takeFaults()
    if (faults.length > 0) throw new Error(`The page complained:\n${faults.map((fault) => `  ${fault}`).join('\n')}`)
  } finally {
    await context.close()
  }
}

async function openBrowser(): Promise<Opened> {
  const profile = mkdtempSync(join(tmpdir(), 'errand-browser-'))
  const guard = new Guard()
  guard.watch([`rm -rf ${quoted(profile)}`])
  // as root Chromium refuses its sandbox; what it shows here was written by the tests
  const args = process.getuid?.() === 0 ? [...ARGUMENTS, '--no-sandbox'] : ARGUMENTS
  const program = found.program ?? ''
  // over a pipe there is no port to clash, and the browser ends with this process
  const ends = { pipe: true, handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false }
  const browser = await launch({ timeout: START_TIMEOUT_MS, executablePath: program, userDataDir: profile, headless: true, args, ...ends })
  const close = async () => {
    await browser.close()
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    guard.end()
  }
  return { browser, close }
}

async function findBrowser(): Promise<Found> {
  const run = promisify(execFile)(process.execPath, ['scripts/chromium.mjs', '--json'], { cwd: ROOT })
  const { stdout } = await run.catch((error: unknown) => {
    // a failed run of execFile carries what the program printed
    return { stdout: (error as { stdout?: string }).stdout ?? '' }
  })
  if (stdout.trim() === '') return {}
  // the script prints this form
  return JSON.parse(stdout) as Found
}
