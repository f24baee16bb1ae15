import { expect } from 'chai'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ConfigInput } from 'errand'
import { registry } from '#src/core/registry.js'
import { loadModule } from '#worker/load-module.js'
import { loadService } from '#worker/load-service.js'
import { serviceConfig } from '../kit/service.js'
import { eachScope } from '../kit/temporary.js'

const FOLDER = new URL('../fixtures/worker-services/', import.meta.url)
const path = (name: string): string => fileURLToPath(new URL(name, FOLDER))

describe('The services of a worker', () => {
  const scope = eachScope()

  const load = async (services: ConfigInput['services'], declared: readonly string[] = []): Promise<readonly string[]> =>
    loadService(await serviceConfig(scope(), services === undefined ? {} : { services }), declared, loadModule)
  const failure = (loading: Promise<unknown>): Promise<unknown> => loading.catch((error: unknown) => error)

  it('are the modules that the configuration names, each loaded once', async () => {
    globalThis.loadedStamps = 0
    const names = await load([path('ok/*.{js,ts}'), path('ok/stamps.js')], ['file:///not/asked/for.js'])

    expect(names).to.include.members(['Letters.send', 'stamp'])
    expect(registry.find('Letters.send')?.owner?.name).to.equal('Letters')
    expect(globalThis.loadedStamps).to.be.lessThan(2)
  })

  it('are those in which the tasks of the server were declared when the configuration names none', async () => {
    const names = await load(undefined, [new URL('ok/letters.js', FOLDER).href])

    expect(names).to.include('Letters.send')
  })

  it('may be CommonJS', async () => {
    writeFileSync(scope().file('service.cjs'), 'globalThis.loadedCommonJs = (globalThis.loadedCommonJs ?? 0) + 1; module.exports = { a: 1 }')

    await load('*.cjs')

    expect(Reflect.get(globalThis, 'loadedCommonJs')).to.equal(1)
  })

  it('are refused when a pattern matches no module', async () => {
    writeFileSync(scope().file('types.d.ts'), '')
    writeFileSync(scope().file('readme.md'), '')

    expect(await failure(load([path('ok/*.js'), './*'])))
      .to.include({ code: 'SERVICE_LOAD_FAILED' })
      .and.have.property('message').that.contains('"./*" of "services" matches no module')
  })

  it('are refused with the module, the cause and what to do when one throws', async () => {
    const error = await failure(load(path('broken/throws.js')))

    expect(error).to.include({ code: 'SERVICE_LOAD_FAILED' }).and.have.nested.property('cause.message', 'no database here')
    expect(String(error)).to.match(/cannot load the service module file:.*broken\/throws\.js: TypeError: no database here\. Make the module load/)
  })

  it('are refused with advice when they are TypeScript and nothing can read that', async () => {
    writeFileSync(scope().file('mail.ts'), 'enum Kind { A }')

    expect(String(await failure(load('mail.ts')))).to.contain('Start the server with a TypeScript loader')
  })

  it('are refused with advice when one imports what is not there', async () => {
    writeFileSync(scope().file('mail.mjs'), 'import "./gone.mjs"')

    expect(String(await failure(load('mail.mjs')))).to.contain('Correct the path or install the package.')
  })

  it('are refused when two tasks have one name', async () => {
    const errand = JSON.stringify(import.meta.resolve('errand'))
    const twin = `import { asyncTask } from ${errand}\nexport const t = asyncTask(async () => {}, { name: 'Twin' })`
    writeFileSync(scope().file('one.mjs'), twin)
    writeFileSync(scope().file('two.mjs'), twin)

    const error = await failure(load('*.mjs'))

    expect(error).to.include({ code: 'SERVICE_LOAD_FAILED' }).and.have.nested.property('cause.code', 'TASK_DUPLICATE')
    expect(String(error)).to.match(/two\.mjs: ErrandError: Two tasks are called "Twin"/)
  })
})
