import { expect } from 'chai'
import { createNamespace, destroyNamespace, type Namespace } from 'cls-hooked'
import { spawnSync } from 'node:child_process'
import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { context, withContext } from '#src/core/context.js'
import { outside } from '#src/core/outside.js'
import { eachScope } from '../kit/temporary.js'

const storage = new AsyncLocalStorage<string>()

/** Runs `fn` as a request that every store knows. */
const inRequest = <T>(namespace: Namespace, fn: () => T): T =>
  storage.run('request', () =>
    withContext({ user: { id: 7 } }, () =>
      namespace.runAndReturn(() => {
        namespace.set('tenant', 'acme')
        return fn()
      }),
    ),
  )

describe('Outside', () => {
  const scope = eachScope()
  const seenBy = (namespace: Namespace) => (): unknown[] => [storage.getStore(), context().user, namespace.get('tenant')]

  function makeNamespace(name: string): Namespace {
    const namespace = createNamespace(name)
    scope().defer(() => destroyNamespace(name))
    return namespace
  }

  it('no store of a request holds, neither now nor in what was begun there', async () => {
    const namespace = makeNamespace('outside-1')
    const seen = seenBy(namespace)

    const [now, later, around] = await inRequest(namespace, async () => {
      const inside = outside(() => [seen(), Promise.resolve().then(seen)] as const)
      return [inside[0], await inside[1], seen()]
    })

    expect(now).to.deep.equal([undefined, undefined, undefined])
    expect(later).to.deep.equal([undefined, undefined, undefined])
    expect(around).to.deep.equal(['request', { id: 7 }, 'acme'])
  })

  it('gives back what the function gives, and throws what it throws', () => {
    const namespace = makeNamespace('outside-2')

    expect(inRequest(namespace, () => outside(() => 'value'))).to.equal('value')
    expect(() =>
      outside(() => {
        throw new RangeError('no')
      }),
    ).to.throw(RangeError)
  })

  it('is not disturbed by a namespace that was destroyed', () => {
    const namespace = createNamespace('outside-3')
    destroyNamespace('outside-3')

    expect(namespace.active).to.equal(null)
    expect(outside(() => 'value')).to.equal('value')
  })

  it('is taken before any request, also when a call inside one is what loads the drivers', () => {
    const program = `
      import 'errand'
      import { AsyncLocalStorage } from 'node:async_hooks'
      const storage = new AsyncLocalStorage()
      await storage.run('request', async () => {
        const { outside } = await import('#src/core/outside.js')
        process.stdout.write(JSON.stringify([storage.getStore(), outside(() => storage.getStore() ?? 'nothing')]))
      })`

    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' })

    expect(stdout, stderr).to.equal('["request","nothing"]')
  })

  it('a socket opened during a request does not keep it for its later events', async () => {
    const namespace = makeNamespace('outside-4')
    const server = createServer((socket) => socket.end('data')).listen(0, '127.0.0.1')
    scope().defer(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo // it listens on TCP

    const seen = await inRequest(
      namespace,
      () =>
        new Promise<unknown[]>((resolve) => {
          outside(() => connect(port, '127.0.0.1').on('data', () => resolve(seenBy(namespace)())))
        }),
    )

    expect(seen).to.deep.equal([undefined, undefined, undefined])
  })
})
