import { expect } from 'chai'
import { tasks } from 'errand'
import type { WaitingPageView } from 'errand/page'
import { describeBrowser, inPage, type TestPage } from '../kit/browser.js'
import { freePort } from '../kit/free-port.js'
import { PageApp } from '../kit/page-app.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'
import { fails, walk } from '../fixtures/page/tasks.js'

const stepsOf = (steps: number): WaitingPageView => ({
  run: walk,
  input: ({ request }) => [{ method: request.method, url: request.url, form: { steps: String(steps) }, body: undefined }],
})

const PERCENT = '[data-errand-percent]'
/** A page may be left while it is looked at. */
const textOf = ({ tab }: TestPage, selector: string): Promise<string> => tab.$eval(selector, ({ textContent }) => textContent ?? '').catch(() => '')
const press = ({ tab }: TestPage): Promise<unknown> => Promise.all([tab.waitForNavigation(), tab.click('button')])
const shows = (page: TestPage, selector: string, text: string): Promise<unknown> =>
  until(`${selector} with ${text}`, async () => (await textOf(page, selector)).includes(text))
describeBrowser('A waiting page in a browser', function () {
  this.timeout(120_000)
  const scope = eachScope()

  async function appWith(view: WaitingPageView, port = 0): Promise<{ readonly app: PageApp; readonly url: string }> {
    const app = new PageApp(scope())
    await app.start({ '/walk': view }, port)
    await app.worker()
    return { app, url: `${app.origin}/walk` }
  }

  it('is started by its button, moves as the task does, and becomes its result', async () => {
    const { app, url } = await appWith(stepsOf(3))
    // screenshots of a bar that moves would differ
    await inPage({ reducedMotion: true }, async (page) => {
      await page.goto(url)
      await page.checkAccess()
      await page.screenshot('waiting-page-initial')
      await press(page)
      for (const [step, percent] of [25, 50, 75].entries()) {
        await shows(page, PERCENT, `${percent}%`)
        expect(await textOf(page, '[data-errand-message]')).to.equal(`step ${step + 1} <of> 3`)
        expect(await page.tab.$eval('progress', ({ value }) => value)).to.equal(percent)
        expect(await page.tab.title()).to.equal(`${percent}% · Working on it`)
        if (percent < 75) app.open(`step-${step + 1}`)
      }
      await page.checkAccess()
      await page.screenshot('waiting-page-processing')
      // told seldom; and told, although nothing comes after it
      await shows(page, '[role=status]', '75% completed')
      const waitingAt = page.tab.url()

      app.open('step-3')
      await shows(page, 'h1', 'Walked 3 steps')

      expect(page.tab.url()).to.equal(waitingAt.replace('/processing?', '/result?'))
      await page.tab.goBack()
      expect(page.tab.url()).to.equal(url) // what was waited on is not among the pages one goes back to
    })
  })

  it('tells those who only hear it that it is done before it leaves', async () => {
    const { app, url } = await appWith(stepsOf(1))
    await inPage({}, async (page) => {
      const heard: string[] = []
      await page.tab.exposeFunction('heard', (text: string) => heard.push(text))
      await page.tab.evaluateOnNewDocument(
        `addEventListener('DOMContentLoaded', () => {
          const region = document.querySelector('[role=status]')
          if (region) new MutationObserver(() => heard(region.textContent)).observe(region, { childList: true, characterData: true, subtree: true })
        })`,
      )
      await page.goto(url)
      await press(page)
      await shows(page, PERCENT, '50%')
      app.open('step-1')
      await shows(page, 'h1', 'Walked')

      expect(heard.at(-1)).to.equal('Done')
      expect(heard).to.have.lengthOf.below(4)
    })
  })

  it('says that the task failed, in dark colours too, and reading begins at its heading', async () => {
    const { url } = await appWith({ run: fails })
    await inPage({ dark: true }, async (page) => {
      await page.goto(url)
      await page.checkAccess()
      await page.screenshot('waiting-page-initial-dark')
      await press(page)
      await shows(page, 'h1', 'That did not work')

      // the browser moves it there when it first draws the page
      await until('the heading to be read', async () => (await page.tab.evaluate('document.activeElement.tagName')) === 'H1')
      expect(await page.tab.title()).to.equal('That did not work')
      await page.checkAccess()
      await page.screenshot('waiting-page-failed-dark')
    })
  })

  it('shows how far it is in the dark, with colours that can be told apart', async () => {
    const { url } = await appWith(stepsOf(1))
    await inPage({ dark: true, reducedMotion: true }, async (page) => {
      await page.goto(url)
      await press(page)
      await shows(page, PERCENT, '50%')

      await page.checkAccess()
      await page.screenshot('waiting-page-processing-dark')
    })
  })

  it('says of an unknown id that it is none', async () => {
    const { url } = await appWith(stepsOf(1))
    await inPage({}, async (page) => {
      expect(await page.goto(`${url}/processing?process_id=00000000-0000-4000-8000-000000000000`)).to.equal(404)

      expect(await page.text('h1')).to.equal('Nothing to see here')
      await page.checkAccess()
      await page.screenshot('waiting-page-unknown')
    })
  })

  it('reaches the result without any script', async () => {
    const { app, url } = await appWith(stepsOf(1))
    await inPage({ script: false }, async (page) => {
      await page.goto(url)
      await press(page)
      await until('how far it is', async () => (await page.tab.content().catch(() => '')).includes('value="50"'))
      await page.screenshot('waiting-page-without-script')
      app.open('step-1')

      await until('the result', () => page.tab.url().includes('/result?'))
      expect(await page.tab.title()).to.equal('Walked')
    })
  })

  for (const language of ['en', 'de', 'it', 'fr']) {
    it(`fits a phone, a small one too, in ${language}`, async () => {
      const { url } = await appWith(stepsOf(1))
      await inPage({ viewport: 'phone', reducedMotion: true, language }, async (page) => {
        await page.tab.setViewport({ width: 320, height: 640, deviceScaleFactor: 2, isMobile: true, hasTouch: true })
        await page.goto(url)
        expect(await page.isTooWide()).to.equal(false)
        await press(page)
        await shows(page, PERCENT, '50')
  
        expect(await page.isTooWide()).to.equal(false)
        expect(await page.tab.$eval('html', ({ lang }) => lang)).to.equal(language)
        const heights = await page.tab.$$eval('button', (buttons) => buttons.map((button) => button.getBoundingClientRect().height))
        expect(heights).to.have.lengthOf(1).and.satisfy(([height = 0]) => height >= 44)
        await page.checkAccess()
        await page.screenshot(`waiting-page-phone-${language}`)
        await page.tab.$eval('[data-errand-message]', (message) => (message.textContent = 'W'.repeat(500)))
        expect(await page.isTooWide()).to.equal(false)
      })
    })
  }

  it('moves nothing for those who asked for that, and shows that it works without knowing how far', async () => {
    const app = new PageApp(scope())
    await app.start({ '/walk': stepsOf(1) })
    for (const reducedMotion of [false, true]) {
      await inPage({ reducedMotion }, async (page) => {
        await page.goto(`${app.origin}/walk`)
        await press(page)

        const animation = await page.tab.evaluate(`getComputedStyle(document.querySelector('progress')).animationName`)
        expect(animation).to.equal(reducedMotion ? 'none' : 'wait')
        await page.screenshot(`waiting-page-waiting${reducedMotion ? '-still' : ''}`)
      })
    }
  })

  it('asks instead where events do not come', async () => {
    const { app, url } = await appWith(stepsOf(1))
    await inPage({}, async (page) => {
      await page.tab.setRequestInterception(true)
      page.tab.on('request', (request) => void (request.url().includes('/events?') ? request.abort('blockedbyclient') : request.continue()))
      await page.goto(url)
      await press(page)
      await shows(page, PERCENT, '50%')
      app.open('step-1')

      await shows(page, 'h1', 'Walked')
      const faults = await page.takeFaults()
      expect(faults.filter((fault) => !fault.includes('/events?'))).to.deep.equal([])
    })
  })

  it('goes on when the server is started anew', async () => {
    const port = await freePort()
    const { app, url } = await appWith(stepsOf(1), port)
    await inPage({}, async (page) => {
      await page.goto(url)
      await press(page)
      await shows(page, PERCENT, '50%')
      await app.served.close()
      app.open('step-1')
      await shows(page, '[data-errand-note]', 'The connection was lost. Trying again.')
      expect(await textOf(page, '[role=status]')).to.equal('The connection was lost. Trying again.')
      await page.screenshot('waiting-page-connection-lost')
      await app.serve({ '/walk': stepsOf(1) }, port)

      await shows(page, 'h1', 'Walked')
      await page.takeFaults() // of the time without a server
    })
  })

  it('holds no connection while nobody looks at it, and is up to date at once when somebody does', async () => {
    const { app, url } = await appWith(stepsOf(2))
    await inPage({}, async (page) => {
      const closed: string[] = []
      page.tab.on('requestfailed', (request) => closed.push(new URL(request.url()).pathname))
      const look = (isHidden: boolean): Promise<unknown> =>
        page.tab.evaluate(`Object.defineProperty(document, 'hidden', { configurable: true, value: ${isHidden} }); document.dispatchEvent(new Event('visibilitychange'))`)
      await page.goto(url)
      await press(page)
      await shows(page, PERCENT, '33')

      await look(true)
      await until('the events to be closed', () => closed.includes('/walk/events'))
      app.open('step-1')
      const id = new URL(page.tab.url()).searchParams.get('process_id') ?? ''
      await until('the second step', async () => (await tasks.get(id).progress()).value === 66.7)
      expect(await textOf(page, PERCENT)).to.include('33')
      await look(false)

      await shows(page, PERCENT, '66.7')
    })
  })

  it('cancels by its button', async () => {
    const { url } = await appWith(stepsOf(1))
    await inPage({}, async (page) => {
      await page.goto(url)
      await press(page)
      await press(page)

      await shows(page, 'h1', 'Cancelled')
      await page.checkAccess()
      await page.screenshot('waiting-page-cancelled')
    })
  })
})
