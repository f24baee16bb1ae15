import { expect } from 'chai'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { fileBodies, type ResponseBodies } from 'errand/page'
import { eachScope } from '../kit/temporary.js'
import { PageApp } from '../kit/page-app.js'
import { until } from '../kit/until.js'
import { brief, large } from '../fixtures/page/tasks.js'

const MEBIBYTE = 1024 * 1024
const LARGE = 200 * MEBIBYTE
const DAY_MS = 86_400_000

setFlagsFromString('--expose-gc')
// the function that the flag just made
const collect = runInNewContext('gc') as () => void

async function textOf(stream: ReadableStream<Uint8Array> | undefined): Promise<string | undefined> {
  return stream === undefined ? undefined : new Response(stream).text()
}

async function* parts(...texts: readonly string[]): AsyncGenerator<string> {
  yield* texts
}

describe('Bodies in files', function () {
  this.timeout(120_000)
  const scope = eachScope()

  function opened(): { readonly bodies: ResponseBodies; readonly folder: string } {
    const folder = scope().file('bodies')
    return { bodies: fileBodies({ folder }), folder }
  }

  it('are read as they were written, by their owner alone, until they are removed', async () => {
    const { bodies, folder } = opened()

    const { id, bytes } = await bodies.write(parts('päge ', 'two'), { expiresAt: Date.now() + DAY_MS })

    expect(bytes).to.equal(9)
    expect(await textOf(await bodies.read(id))).to.equal('päge two')
    expect(await textOf(await bodies.read(id))).to.equal('päge two')
    expect(statSync(join(folder, id)).mode & 0o777).to.equal(0o600)
    expect(statSync(folder).mode & 0o777).to.equal(0o700)
    await bodies.remove(id)
    await bodies.remove(id)
    expect(await bodies.read(id)).to.equal(undefined)
  })

  it('are not there before all of them is, and leave nothing where their source fails', async () => {
    const { bodies, folder } = opened()
    async function* failing(): AsyncGenerator<string> {
      yield 'half'
      const [part = ''] = readdirSync(folder)
      expect(part).to.match(/\.part$/)
      expect(await bodies.read(part.replace('.part', ''))).to.equal(undefined)
      throw new RangeError('the source ended')
    }

    const failure = await bodies.write(failing(), { expiresAt: Date.now() + DAY_MS }).catch((error: unknown) => error)

    expect(failure).to.be.instanceOf(RangeError)
    expect(readdirSync(folder)).to.deep.equal([])
  })

  it('are closed when their reader goes away in the middle', async () => {
    const { bodies, folder } = opened()
    async function* large(): AsyncGenerator<Uint8Array> {
      for (let count = 0; count < 8; count++) yield new Uint8Array(MEBIBYTE)
    }
    const { id } = await bodies.write(large(), { expiresAt: Date.now() + DAY_MS })
    const reader = (await bodies.read(id))?.getReader()
    await reader?.read()
    expect(openFiles(folder)).to.deep.equal([id])

    await reader?.cancel()

    await until('the file to be closed', () => openFiles(folder).length === 0)
  })

  it('read nothing by an id that is not theirs, such as a path', async () => {
    const { bodies, folder } = opened()
    mkdirSync(folder)
    writeFileSync(scope().file('secret'), 'swordfish')
    for (const id of ['../secret', scope().file('secret'), '', '.', `${Date.now() + DAY_MS}-../../secret`]) {
      expect(await bodies.read(id), id).to.equal(undefined)
      await bodies.remove(id)
    }
    expect(statSync(scope().file('secret')).size).to.equal(9)
  })

  it('expire, and expired and abandoned files are swept away while others stay', async () => {
    const { bodies, folder } = opened()
    const expired = await bodies.write(parts('old'), { expiresAt: Date.now() - 1 })
    const kept = await bodies.write(parts('new'), { expiresAt: Date.now() + DAY_MS })
    const abandoned = join(folder, `${kept.id.slice(0, -1)}0.part`)
    const underWay = join(folder, `${kept.id.slice(0, -1)}1.part`)
    for (const file of [abandoned, underWay, join(folder, 'notes.txt')]) writeFileSync(file, 'x')
    utimesSync(abandoned, new Date(0), new Date(0))
    expect(await bodies.read(expired.id)).to.equal(undefined)

    await textOf(await fileBodies({ folder }).read(kept.id)) // the first use of a process sweeps

    expect(readdirSync(folder).sort()).to.deep.equal([kept.id, underWay.slice(folder.length + 1), 'notes.txt'].sort())
  })
})

describe('A large result', function () {
  this.timeout(120_000)
  const scope = eachScope()

  it('of 200 MB is written and streamed as it comes, in a memory that is bounded (133)', async () => {
    const app = new PageApp(scope())
    await app.start({ '/large': { run: large } })
    const worker = await app.worker()
    const before = peakOf(worker.pid)
    const id = await app.begin('/large', { form: { mebibytes: String(LARGE / MEBIBYTE) } })
    await app.ended('/large', id)
    const grown = peakOf(worker.pid) - before

    const response = await app.ask(`/large/result?process_id=${id}`, { user: 'ada' })
    let [bytes, most, isRight] = [0, 0, true]
    const start = liveBuffers()
    for await (const chunk of response.body ?? []) {
      isRight &&= chunk[0] === Math.floor(bytes / MEBIBYTE) % 251
      const isNext = Math.floor(bytes / MEBIBYTE) < Math.floor((bytes + chunk.byteLength) / MEBIBYTE)
      bytes += chunk.byteLength
      if (isNext) most = Math.max(most, liveBuffers() - start)
    }

    expect(response.headers.get('content-length')).to.equal(String(LARGE))
    expect([bytes, isRight, response.headers.get('x-name')]).to.deep.equal([LARGE, true, 'large'])
    expect(most).to.be.below(20 * MEBIBYTE)
    expect(grown).to.be.below(LARGE / 2)
  })

  it('is kept as long as the results of the application', async () => {
    const app = new PageApp(scope(), { keepCompleted: '9d' })
    await app.start({ '/large': { run: large } })
    await app.worker()
    const before = Date.now()
    const id = await app.begin('/large', { form: { mebibytes: '1' } })
    await app.ended('/large', id)

    const [name = ''] = readdirSync(scope().file('data/bodies'))

    expect(Number(name.split('-', 1)[0])).to.be.within(before + 9 * DAY_MS, Date.now() + 9 * DAY_MS)
  })

  it('that nobody else may see is not found, and one whose body is gone is not available', async () => {
    const app = new PageApp(scope())
    const bodies = fileBodies({ folder: scope().file('bodies') })
    await app.start({ '/brief': { run: brief, bodies }, '/large': { run: large, bodies } })
    await app.worker()
    const id = await app.begin('/brief')
    await app.ended('/brief', id)
    expect((await app.ask(`/brief/result?process_id=${id}`, { user: 'eve' })).status).to.equal(404)

    const gone = await until('the end of its time', async () => {
      const response = await app.ask(`/brief/result?process_id=${id}`, { user: 'ada' })
      return response.status === 500 && response.text()
    })
    const other = await app.begin('/large', { form: { mebibytes: '1' } })
    await app.ended('/large', other)
    const elsewhere = await app.ask(`/large/result?process_id=${other}`, { user: 'ada' })

    expect(gone).to.include('The result is not available')
    expect(elsewhere.status).to.equal(500)
  })
})

/** Names of the files of a folder that this process has open. */
function openFiles(folder: string): readonly string[] {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return '' // it was that of the listing itself
    }
  })
  return targets.filter((target) => target.startsWith(`${folder}/`)).map((target) => target.slice(folder.length + 1))
}

/** Bytes of buffers that are still needed, once what is not has been collected. */
function liveBuffers(): number {
  collect()
  return process.memoryUsage().arrayBuffers
}

/** The most memory that a process has had so far, in bytes. */
function peakOf(pid: number): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kibibytes) * 1024
}
