import { expect } from 'chai'
import { fileURLToPath } from 'node:url'
import { silentLogger } from '#src/core/logger.js'
import { registry } from '#src/core/registry.js'
import { adoptExports } from '#src/runtime/adopt-exports.js'
import { instanceFor, setInstanceResolver } from '#src/runtime/instances.js'
import { loadModule } from '#worker/load-module.js'
import { loadContainer } from '#worker/load-container.js'
import { loadErrorReporter } from '#worker/load-error-reporter.js'
import * as containers from '../fixtures/worker-services/containers.js'
import * as letters from '../fixtures/worker-services/ok/letters.js'
import { serviceConfig } from '../kit/service.js'
import { eachScope } from '../kit/temporary.js'

const path = (name: string): string => fileURLToPath(new URL(`../fixtures/worker-services/${name}.js`, import.meta.url))

describe('The container of a worker', () => {
  const scope = eachScope()

  beforeEach(() => scope().defer(() => setInstanceResolver(undefined)))

  const open = async (name: string): ReturnType<typeof loadContainer> => loadContainer(await serviceConfig(scope(), { container: path(name) }), loadModule)
  async function instance(): Promise<unknown> {
    adoptExports('letters.js', letters)
    const task = registry.find('Letters.send')
    return task === undefined ? undefined : await instanceFor(task)
  }

  const FORMS = [
    ['container-function', 'function'],
    ['container-default', 'function'],
    ['container-object', 'object'],
    ['container-nest', 'nest'],
  ] as const
  for (const [name, from] of FORMS) {
    it(`gives the instance on which a task runs, when it is in the form of ${name}`, async () => {
      const container = await open(name)
      scope().defer(() => container?.close?.())

      expect(await instance()).to.be.instanceOf(letters.Letters).and.include({ from })
    })
  }

  it('is closed by its own close()', async () => {
    const container = await open('container-object')

    await container?.close?.()

    expect(containers.closed).to.include('object')
  })

  it('is refused when it is none, with the forms that it may have', async () => {
    const error: unknown = await open('container-nothing').catch((reason: unknown) => reason)

    expect(error).to.include({ code: 'SERVICE_LOAD_FAILED' })
    expect(String(error)).to.contain('exports no { resolve(Class) }')
  })

  it('is refused with the cause when it cannot be opened', async () => {
    const error: unknown = await open('container-failure').catch((reason: unknown) => reason)

    expect(error).to.include({ code: 'SERVICE_LOAD_FAILED' }).and.have.nested.property('cause.message', 'no database here')
  })

  it('is not needed', async () => {
    expect(await loadContainer(await serviceConfig(scope()), loadModule)).to.equal(undefined)
  })
})

describe('The error reporter of a worker', () => {
  const scope = eachScope()

  for (const name of ['reporter-broken', 'gone', 'broken/throws']) {
    it(`is left out, and that is logged, when ${name} is none`, async () => {
      const lines: string[] = []
      const config = await serviceConfig(scope(), { errorReporter: path(name) })

      const reporter = await loadErrorReporter(config, { ...silentLogger, error: (line) => void lines.push(line) })

      expect(reporter).to.equal(undefined)
      expect(lines.join()).to.match(/^The error reporter .*(is not used)/).and.contain(name)
    })
  }
})
