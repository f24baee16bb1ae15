import { expect } from 'chai'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { describeBrowser, inPage } from '../kit/browser.js'
import { eachScope, type Scope } from '../kit/temporary.js'

const FOLDER = fileURLToPath(new URL('../../../.cache/screenshots/', import.meta.url))
const PARTS = { head: '', body: '<h1>Ready</h1>', policy: "default-src 'self'; img-src data:" }
const NO_ICON = '<link rel="icon" href="data:,">'

/** A page of one site that has nothing else; its address. */
async function site(scope: Scope, given: Partial<typeof PARTS> = {}): Promise<string> {
  const { head, body, policy } = { ...PARTS, ...given }
  const about = `<title>Ready</title><meta name="viewport" content="width=device-width">${NO_ICON}`
  const html = `<!doctype html><html lang="en"><head>${about}${head}</head><body><main>${body}</main></body></html>`
  const server = createServer((request, response) => {
    const isPage = request.url === '/'
    response.writeHead(isPage ? 200 : 404, { 'content-type': 'text/html', ...(policy !== '' && { 'content-security-policy': policy }) })
    response.end(isPage ? html : 'Not found')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return `http://127.0.0.1:${address.port}/`
}

/** How a test in the page ends that does nothing but look at it. */
const complaint = (url: string): Promise<string> =>
  inPage({}, async (page) => {
    await page.goto(url)
  }).then(
    () => 'none',
    (error: Error) => error.message,
  )

describeBrowser('pages in a real browser', function () {
  this.timeout(120_000)
  const scope = eachScope()
  const inline = { policy: '' }

  it('a page without fault passes, on a phone and in the dark as well', async () => {
    const url = await site(scope(), { policy: "default-src 'none'; img-src data:" })

    await inPage({ viewport: 'phone', dark: true, reducedMotion: true }, async (page) => {
      expect(await page.goto(url)).to.equal(200)

      expect(await page.text('h1')).to.equal('Ready')
      expect(await page.isTooWide()).to.equal(false)
      const matches = (query: string) => page.tab.evaluate(`matchMedia(${JSON.stringify(query)}).matches`)
      expect(await matches('(prefers-color-scheme: dark) and (prefers-reduced-motion: reduce) and (width: 360px)')).to.equal(true)
      await page.checkAccess()
    })
  })

  it('an error in the console fails the test', async () => {
    const url = await site(scope(), { ...inline, head: '<script>console.error("no queue", 7)</script>' })

    expect(await complaint(url)).to.contain('console: no queue 7')
  })

  it('an error that a script throws fails the test', async () => {
    const url = await site(scope(), { ...inline, head: '<script>throw new TypeError("no id")</script>' })

    expect(await complaint(url)).to.contain('TypeError: no id')
  })

  it('something the page needs and does not get fails the test', async () => {
    const url = await site(scope(), { head: '<link rel="stylesheet" href="/gone.css">' })

    expect(await complaint(url)).to.contain(`request: GET ${url}gone.css answered 404`)
  })

  it('a server that is not there fails the test', async () => {
    const url = await site(scope(), { ...inline, body: '<img alt="" src="http://127.0.0.1:1/x.png">' })

    expect(await complaint(url)).to.match(/request: GET http:\/\/127\.0\.0\.1:1\/x\.png net::ERR_/)
  })

  it('an address outside this machine is not even looked up', async () => {
    const url = await site(scope(), { ...inline, body: '<img alt="" src="http://errand.example/x.png">' })

    expect(await complaint(url)).to.contain('request: GET http://errand.example/x.png net::ERR_NAME_NOT_RESOLVED')
  })

  it('a violation of the content security policy fails the test', async () => {
    const url = await site(scope(), { head: '<script>document.title = "x"</script>' })

    expect(await complaint(url)).to.match(/content security policy: (script-src-elem|default-src)/)
  })

  it('faults that were expected are taken', async () => {
    const url = await site(scope(), { ...inline, head: '<script>console.error("on purpose")</script>' })

    await inPage({}, async (page) => {
      await page.goto(url)
      expect(await page.takeFaults()).to.deep.equal(['console: on purpose'])
    })
  })

  it('what axe finds serious is told with the place and the reason', async () => {
    const url = await site(scope(), { ...inline, body: '<input type="text"><p style="color:#bbb;background:#fff">Pale</p>' })

    await inPage({}, async (page) => {
      await page.goto(url)
      const error = await page.checkAccess().catch((error: unknown) => error)

      expect(String(error)).to.contain('critical: Form elements must have labels').and.contain('<input type="text">')
      expect(String(error)).to.contain('serious: Elements must meet minimum color contrast')
    })
  })

  it('axe looks at a page whose policy allows no script at all', async () => {
    const url = await site(scope(), { body: '<input type="text">', policy: "default-src 'none'; img-src data:" })

    await inPage({}, async (page) => {
      await page.goto(url)
      expect(String(await page.checkAccess().catch((error: unknown) => error))).to.contain('critical: Form elements')
    })
  })

  it('scripts can be switched off', async () => {
    const script = '<script>document.write("<p id=run>script</p>")</script><noscript><p id="still">none</p></noscript>'
    const url = await site(scope(), { ...inline, body: script })

    await inPage({ script: false }, async (page) => {
      await page.goto(url)
      expect(await page.text('#still')).to.equal('none')
      expect(await page.tab.$('#run')).to.equal(null)
    })
  })

  it('keeps a picture of the page', async () => {
    rmSync(`${FOLDER}browser-test.png`, { force: true })
    const url = await site(scope())

    await inPage({ viewport: 'phone' }, async (page) => {
      await page.goto(url)
      await page.screenshot('browser-test')
    })

    expect(existsSync(`${FOLDER}browser-test.png`)).to.equal(true)
    expect(readFileSync(`${FOLDER}browser-test.png`).subarray(1, 4).toString()).to.equal('PNG')
  })

  it('every page begins without the cookies of another', async () => {
    const url = await site(scope())
    await inPage({}, async (page) => {
      await page.goto(url)
      await page.tab.evaluate('document.cookie = "seen=1"')
    })

    await inPage({}, async (page) => {
      await page.goto(url)
      expect(await page.tab.evaluate('document.cookie')).to.equal('')
    })
  })
})
