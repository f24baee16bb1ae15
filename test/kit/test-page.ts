import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AxeResults } from 'axe-core'
import type { CDPSession, Page, Viewport } from 'puppeteer-core'
import { collectFaults } from './page-faults.js'

const SCREENSHOTS = fileURLToPath(new URL('../../../.cache/screenshots/', import.meta.url))

const VIEWPORTS: Readonly<Record<'phone' | 'tablet' | 'desktop', Viewport>> = {
  phone: { width: 360, height: 740, isMobile: true, hasTouch: true },
  tablet: { width: 820, height: 1180, isMobile: true, hasTouch: true },
  desktop: { width: 1280, height: 800 },
}

/** Long enough for a loaded machine; no test is slower for it, only a failing one. */
const PATIENCE_MS = 60_000

export interface PageOptions {
  /** @defaultValue 'desktop' */
  readonly viewport?: keyof typeof VIEWPORTS
  /** Whether the person prefers dark pages. @defaultValue false */
  readonly dark?: boolean
  /** Whether the person prefers that nothing moves. @defaultValue false */
  readonly reducedMotion?: boolean
  /** Whether scripts of the page run. @defaultValue true */
  readonly script?: boolean
  /** What the browser asks for in Accept-Language. @defaultValue 'en' */
  readonly language?: string
}

/** A page in a real browser, with what tests ask of it. */
export class TestPage {
  /** The page itself, for everything else that puppeteer-core offers. */
  readonly tab: Page
  readonly #session: CDPSession
  readonly #faults: string[]

  constructor(tab: Page, session: CDPSession, faults: string[]) {
    this.tab = tab
    this.#session = session
    this.#faults = faults
  }

  /** Goes to `url` and waits until what the page names is loaded; answers the status. */
  async goto(url: string): Promise<number> {
    const response = await this.tab.goto(url, { waitUntil: 'load' })
    return response?.status() ?? 0
  }

  /** What a person reads at `selector`, which is waited for. */
  async text(selector: string): Promise<string> {
    await this.tab.waitForSelector(selector)
    return this.#run(`document.querySelector(${JSON.stringify(selector)}).innerText`)
  }

  /** Whether the page is wider than its window, so that one would have to scroll sideways. */
  async isTooWide(): Promise<boolean> {
    return (await this.#run('document.documentElement.scrollWidth > window.innerWidth')) === 'true'
  }

  /** What the page complained of since the last time; afterwards it does not fail the test any more. */
  async takeFaults(): Promise<readonly string[]> {
    // the answer comes after everything that the page had told before
    await this.#session.send('Runtime.evaluate', { expression: '0' })
    return this.#faults.splice(0)
  }

  /** Draws the whole page into `.cache/screenshots/<name>.png`. */
  async screenshot(name: string): Promise<void> {
    mkdirSync(SCREENSHOTS, { recursive: true })
    await this.tab.screenshot({ path: `${join(SCREENSHOTS, name)}.png`, fullPage: true })
  }

  /** Looks for what keeps people out who see, hear or move otherwise. @throws Error that names what axe calls serious or critical */
  async checkAccess(): Promise<void> {
    await this.tab.evaluate(axeSource())
    // axe answers this form
    const results = (await this.tab.evaluate('axe.run(document, { preload: false, resultTypes: ["violations"] })')) as AxeResults
    const grave = results.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    if (grave.length === 0) return
    const told = grave.map(({ id, impact, help, nodes }) => {
      const where = nodes.map(({ html, failureSummary }) => `    ${html}\n      ${failureSummary?.replaceAll('\n', '\n      ') ?? ''}`)
      return `  ${impact}: ${help} (${id})\n${where.join('\n')}`
    })
    throw new Error(`axe found on ${results.url}:\n${told.join('\n')}`)
  }

  async #run(expression: string): Promise<string> {
    return String(await this.tab.evaluate(expression))
  }
}

/** Sets `tab` up as `options` say. */
export async function openTestPage(tab: Page, options: PageOptions): Promise<TestPage> {
  tab.setDefaultTimeout(PATIENCE_MS)
  const session = await tab.createCDPSession()
  const faults = await collectFaults(tab, session)
  await tab.setViewport(VIEWPORTS[options.viewport ?? 'desktop'])
  await tab.emulateMediaFeatures([
    { name: 'prefers-color-scheme', value: options.dark === true ? 'dark' : 'light' },
    { name: 'prefers-reduced-motion', value: options.reducedMotion === true ? 'reduce' : 'no-preference' },
  ])
  await tab.setJavaScriptEnabled(options.script !== false)
  await tab.setExtraHTTPHeaders({ 'accept-language': options.language ?? 'en' })
  return new TestPage(tab, session, faults)
}

let source: string | undefined

/** Read at first use: most pages are not looked at so. */
function axeSource(): string {
  source ??= readFileSync(join(dirname(createRequire(import.meta.url).resolve('axe-core')), 'axe.min.js'), 'utf8')
  return source
}
