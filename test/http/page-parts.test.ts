import { expect } from 'chai'
import { ErrandError, type TaskStatus } from 'errand'
import { Html, html, pageResult, type PageResult, type Standing } from 'errand/page'
import { createSigner } from '#src/core/seal/signer.js'
import { generateKey, parseKeyRing } from '#src/core/seal/key-ring.js'
import { pageRequestOf } from '#src/http/page/input.js'
import { linksOf } from '#src/http/page/links.js'
import { formatOf, languageOf } from '#src/http/page/negotiate.js'
import { isOwnOrigin } from '#src/http/same-origin.js'
import { standingOf } from '#src/http/page/standing.js'
import { EN } from '#src/http/page/texts/en.js'
import { mergeTexts } from '#src/http/page/texts/texts.js'

describe('Markup of pages', () => {
  it('escapes what is put into it, and leaves markup and lists of it as they are', () => {
    const hostile = `<img src=x onerror="alert('&')">`
    const escaped = '&lt;img src=x onerror=&quot;alert(&#39;&amp;&#39;)&quot;&gt;'

    expect(String(html`<p title="${hostile}">${hostile}</p>`)).to.equal(`<p title="${escaped}">${escaped}</p>`)
    expect(String(html`<ul>${['a<', 'b'].map((item) => html`<li>${item}</li>`)}</ul>`)).to.equal('<ul><li>a&lt;</li><li>b</li></ul>')
    expect(String(html`${1}${undefined}${null}${false}${new Html('<br>')}`)).to.equal('1<br>')
  })
})

describe('The negotiation of pages', () => {
  it('takes what the client likes best of what there is', () => {
    expect(formatOf(null)).to.equal('html')
    expect(formatOf('*/*')).to.equal('html')
    expect(formatOf('text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8')).to.equal('html')
    expect(formatOf('application/json;q=0.9, text/html;q=0.8')).to.equal('json')
    expect(formatOf('text/html;q=0, application/json')).to.equal('json')
    expect(formatOf('TEXT/EVENT-STREAM')).to.equal('events')
    expect(formatOf('application/json;q=2, image/png')).to.equal('html')
  })

  it('finds a language by its prefix, and none that is refused', () => {
    const known = ['en', 'de', 'de-at', 'fr']
    expect(languageOf(null, known)).to.equal('en')
    expect(languageOf('de-AT-1996', known)).to.equal('de-at')
    expect(languageOf('de-CH;q=0.5, fr;q=0.4', known)).to.equal('de')
    expect(languageOf('en;q=0, xx', known)).to.equal('de')
    expect(languageOf(`${'x-'.repeat(5000)}, fr`, known)).to.equal('en')
    expect(languageOf('*;q=0.5, de;q=bad', known)).to.equal('en')
  })

  it('has the same texts in every language, and completes those that are added', () => {
    const texts = mergeTexts({ es: { start: 'Empezar' }, 'fr-CA': { start: 'Partir' } })
    const names = Object.keys(texts.get('en') ?? {})
    for (const [language, of] of texts) expect(Object.keys(of), language).to.have.members(names)
    for (const [language, { percentage }] of texts) expect(percentage, language).to.include('{percent}')
    expect(texts.get('es')).to.include({ start: 'Empezar', cancel: 'Cancel' })
    expect(texts.get('fr-ca')).to.include({ start: 'Partir', cancel: 'Annuler' })
  })
})

describe('The links of a page', () => {
  it('never lead to another host, and carry a hostile id as text', () => {
    expect(linksOf('//evil.example/x').processing).to.equal('/evil.example/x/processing?process_id=')
    expect(linksOf('').view).to.equal('/')
    expect(linksOf('/a', `"&<>\r\n`).result).to.equal('/a/result?process_id=%22%26%3C%3E%0D%0A')
  })
})

describe('The origin of a request', () => {
  const isOwn = (headers: Record<string, string>, trusted: readonly string[] = []): boolean =>
    isOwnOrigin(new Request('http://shop.example:8080/x', { method: 'POST', headers }), trusted)

  it('is its own by Sec-Fetch-Site, by the host of Origin, or where no browser says one', () => {
    expect(isOwn({ 'sec-fetch-site': 'same-origin' })).to.equal(true)
    expect(isOwn({ 'sec-fetch-site': 'none' })).to.equal(true)
    expect(isOwn({ 'sec-fetch-site': 'same-site' })).to.equal(false)
    expect(isOwn({ 'sec-fetch-site': 'cross-site', origin: 'http://shop.example:8080' })).to.equal(false)
    expect(isOwn({ origin: 'https://shop.example:8080' })).to.equal(true)
    expect(isOwn({ origin: 'http://evil.example' })).to.equal(false)
    expect(isOwn({ origin: 'null' })).to.equal(false)
    expect(isOwn({})).to.equal(true)
    expect(isOwn({ 'sec-fetch-site': 'same-site', origin: 'https://app.example' }, ['https://app.example'])).to.equal(true)
  })
})

describe('Signed texts', () => {
  const scope = { app: 'shop', env: 'test' }
  const [first, second] = [generateKey(), generateKey()]

  it('hold for their purpose, application and environment, also after the key was replaced', () => {
    const signed = createSigner(parseKeyRing([first]), scope).sign('a.b', 'visitor')
    const later = createSigner(parseKeyRing([second, first]), scope)

    expect(later.verify(signed, 'visitor')).to.equal('a.b')
    expect(later.verify(signed, 'link')).to.equal(undefined)
    expect(createSigner(parseKeyRing([first]), { ...scope, env: 'production' }).verify(signed, 'visitor')).to.equal(undefined)
    expect(createSigner(parseKeyRing([second]), scope).verify(signed, 'visitor')).to.equal(undefined)
    expect(later.verify(signed.replace('a.b', 'a.c'), 'visitor')).to.equal(undefined)
    expect(later.verify('nonsense', 'visitor')).to.equal(undefined)
    expect(later.verify('', 'visitor')).to.equal(undefined)
  })
})

describe('The request that a task gets', () => {
  const told = (type: string, { parsedBody, body }: { readonly parsedBody?: unknown; readonly body?: string }): ReturnType<typeof pageRequestOf> => {
    const request = new Request('http://localhost/a?b=c', { method: 'POST', headers: { 'content-type': type }, ...(body === undefined ? {} : { body }) })
    return pageRequestOf({ request, mount: '/a', path: '', parsedBody })
  }
  const about = { method: 'POST', url: 'http://localhost/a?b=c' }
  const FORM = 'application/x-www-form-urlencoded'

  it('has what the framework has parsed already: fields of a form, or anything else', async () => {
    const fields = { year: '2026', month: ['5', '6'], nested: { no: 'field' }, ['__proto__']: 'x' }

    expect(await told(FORM, { parsedBody: fields })).to.deep.equal({ ...about, form: { year: '2026', month: ['5', '6'] }, body: undefined })
    expect(await told('application/json', { parsedBody: [1] })).to.deep.equal({ ...about, form: {}, body: [1] })
  })

  it('has no prototype that a form makes', async () => {
    const seen = await told(FORM, { body: '__proto__=a&__proto__=b&c=d' })

    expect(typeof seen === 'string' ? seen : Object.getPrototypeOf(seen.form)).to.equal(Object.prototype)
  })

  it('is not read further once its body is larger than a message', async () => {
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(stream) {
        sent++
        stream.enqueue(new Uint8Array(64 * 1024))
      },
    })
    // Node takes streams as bodies, in one direction at a time, which its types do not say
    const init = { method: 'POST', headers: { 'content-type': FORM }, body, duplex: 'half' } as RequestInit

    expect(await pageRequestOf({ request: new Request(about.url, init), mount: '/a', path: '' })).to.equal('large')
    expect(sent).to.be.below(20)
  })

  it('has the texts of a form with files, without the files', async () => {
    const data = new FormData()
    data.append('year', '2026')
    data.append('scan', new File(['x'], 'scan.png'))
    const request = new Request(about.url, { method: 'POST', body: data })

    expect(await pageRequestOf({ request, mount: '/a', path: '' })).to.deep.equal({ ...about, form: { year: '2026' }, body: undefined })
  })

  it('has no body where there is none, or none that is known', async () => {
    expect(await told('application/json', { body: '' })).to.deep.equal({ ...about, form: {}, body: undefined })
    expect(await told('text/plain', { body: 'x' })).to.deep.equal({ ...about, form: {}, body: undefined })
    expect(await told('application/problem+json; charset=utf-8', { body: '{"a":1}' })).to.deep.equal({ ...about, form: {}, body: { a: 1 } })
  })
})

describe('How a process stands', () => {
  const status: TaskStatus = { id: 'x', state: 'running', attempt: 1, attempts: [], progress: { value: -1, data: null }, tags: [] }
  const standing = (given: Partial<TaskStatus>, locale = 'en'): Standing => standingOf({ ...status, ...given }, mergeTexts({}).get(locale) ?? EN, locale)

  it('is told with the message of its progress, or of the data of that, which is cut', () => {
    expect(standing({}).message).to.equal(undefined)
    expect(standing({ progress: { value: 1, data: { message: 'packing' } } }).message).to.equal('packing')
    expect(standing({ progress: { value: 1, data: { message: 'packing' }, message: 'sending' } }).message).to.equal('sending')
    expect(standing({ progress: { value: 1, data: { message: 7 } } }).message).to.equal(undefined)
    expect(standing({ progress: { value: 1, data: { message: 'x'.repeat(2000) } } }).message).to.have.lengthOf(500)
  })

  it('is told in words for every state, with numbers as the language writes them', () => {
    expect(standing({ progress: { value: 33.3, data: null } }, 'de').progress_message).to.equal('33,3 % erledigt')
    expect(standing({ state: 'retrying' }).progress_message).to.equal('Something went wrong, trying again shortly')
    expect(standing({ state: 'scheduled' }).progress_message).to.equal('Waiting for its turn')
    expect(standing({}).progress_message).to.equal('In progress')
    expect(standing({ state: 'completed' })).to.include({ progress: true, completed: true })
    expect(standing({ state: 'cancelled' })).to.include({ progress: 'ERROR', completed: 'ERROR', progress_message: 'Cancelled' })
  })
})

describe('pageResult()', () => {
  const refusal = (given: unknown): string => {
    try {
      pageResult(given as PageResult)
    } catch (error) {
      if (error instanceof ErrandError) return `${error.code}: ${error.message}`
      throw error
    }
    return 'taken'
  }

  it('refuses headers of the connection, of the server in front and of other sites, and splits no response', () => {
    const names = ['Connection', 'transfer-encoding', 'Content-Length', 'Set-Cookie', 'X-Accel-Redirect', 'X-Sendfile', 'Access-Control-Allow-Origin', 'Clear-Site-Data']
    for (const name of names) expect(refusal({ headers: { [name]: 'x' } }), name).to.match(/^RESPONSE_INVALID: .*may not set the header/)
    expect(refusal({ headers: { 'x-a': 'b\r\nset-cookie: c' } })).to.match(/^RESPONSE_INVALID: .*on one line/)
    expect(refusal({ headers: { 'x a': 'b' } })).to.match(/^RESPONSE_INVALID: .*no name of a header/)
    expect(refusal({ headers: { 'content-type': 'text/csv', 'x-made-by': 'Zoë' } })).to.equal('taken')
  })

  it('refuses statuses and cookies that are none', () => {
    for (const status of [100, 199, 600, 200.5, '200']) expect(refusal({ status }), String(status)).to.match(/^RESPONSE_INVALID/)
    expect(refusal({ cookies: [{ name: 'a b', value: 'x' }] })).to.match(/^RESPONSE_INVALID: .*cookie 'a b'/)
    expect(refusal({ cookies: [{ name: 'a', value: 'x', path: '/; Domain=evil.example' }] })).to.match(/^RESPONSE_INVALID/)
    expect(refusal({ cookies: [{ name: 'a', value: '; Secure' }] })).to.equal('taken')
    expect(refusal({ state: 200 })).to.match(/^OPTION_INVALID: .*Did you mean "status"/)
  })
})
