import { fork } from 'node:child_process'
import { once } from 'node:events'
import { AsyncLocalStorage } from 'node:async_hooks'
import { expect } from 'chai'
import { openRabbitLocks } from '#src/broker/rabbitmq/locks.js'
import type { Locks } from '#src/broker/locks.js'
import { codeOf } from '../kit/rabbit-case.js'
import { describeRabbit, freshNamespace, sharedRabbitNode } from '../kit/rabbitmq.js'
import { TcpProxy } from '../kit/tcp-proxy.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describeRabbit('names held on RabbitMQ', function () {
  this.timeout(120_000)
  const scope = eachScope()
  let url = ''
  before(async function () {
    this.timeout(120_000)
    url = (await sharedRabbitNode()).url
  })
  // a machine that stands still for a moment must not cost a connection
  const open = async (namespace: string, to = url, heartbeatSeconds = 30): Promise<Locks> =>
    scope().use(await openRabbitLocks({ urls: [to], namespace, heartbeatSeconds }))

  it('have one holder at a time, over connections and within one', async () => {
    const namespace = freshNamespace()
    const [here, there] = [await open(namespace), await open(namespace)]

    const held = await here.take('tenant 7')
    const others = [await here.take('tenant 7'), await there.take('tenant 7')]
    const another = await there.take('tenant 8')
    await held?.release()
    await held?.release()
    const next = await there.take('tenant 7')

    expect(held).not.to.equal(undefined)
    expect(others).to.deep.equal([undefined, undefined])
    expect(another).not.to.equal(undefined)
    expect(next?.lost.aborted).to.equal(false)
    expect(held?.lost.aborted).to.equal(false)
  })

  it('go to exactly one of many that ask at once', async () => {
    const namespace = freshNamespace()
    const all = await Promise.all(Array.from({ length: 4 }, () => open(namespace)))

    const taken = await Promise.all(all.flatMap((locks) => Array.from({ length: 5 }, () => locks.take('one'))))

    expect(taken.filter((held) => held !== undefined)).to.have.length(1)
  })

  it('of different namespaces are different, and any text is a name', async () => {
    const name = `ünïcode/${'x'.repeat(1000)}`

    const taken = [await (await open(freshNamespace())).take(name), await (await open(freshNamespace())).take(name)]

    expect(taken.every((held) => held !== undefined)).to.equal(true)
  })

  it('are lost with the connection, which their holder is told, and can be taken again', async () => {
    const namespace = freshNamespace()
    const proxy = scope().use(await TcpProxy.to(url))
    const [here, there] = [await open(namespace, proxy.url), await open(namespace)]
    const held = await here.take('one')
    const aborted = until('the loss', () => held?.lost.aborted === true)

    proxy.reset()

    await aborted
    expect(String(held?.lost.reason)).to.match(/"one" is lost/)
    const next = await until('the name', () => there.take('one').then((taken) => taken ?? false))
    await held?.release()
    expect(await here.take('one')).to.equal(undefined)
    await next.release()
    await until('the name again', () => here.take('one').then((taken) => taken ?? false))
  })

  it('of a connection that falls silent are lost for their holder too', async () => {
    const proxy = scope().use(await TcpProxy.to(url))
    const locks = await open(freshNamespace(), proxy.url, 1)
    const held = await locks.take('one')

    proxy.freeze()

    await until('the loss', () => held?.lost.aborted === true)
  })

  it('are free when their holder is killed', async () => {
    const namespace = freshNamespace()
    const child = fork(new URL('../kit/rabbit-lock-holder.js', import.meta.url), [url, namespace, 'one'], { execArgv: [] })
    scope().defer(() => child.kill('SIGKILL'))
    await once(child, 'message')
    const locks = await open(namespace)
    const before = await locks.take('one')

    child.kill('SIGKILL')

    expect(before).to.equal(undefined)
    await until('the name', () => locks.take('one').then((taken) => taken ?? false))
  })

  it('are free after close, which also refuses to take more', async () => {
    const namespace = freshNamespace()
    const [here, there] = [await open(namespace), await open(namespace)]
    const held = await here.take('one')

    await here.close()
    await here.close()

    expect(held?.lost.aborted).to.equal(true)
    expect(await codeOf(here.take('one'))).to.equal('BROKER_CLOSED')
    await until('the name', () => there.take('one').then((taken) => taken ?? false))
  })

  it('cannot be asked for where no server is, and can once there is one', async () => {
    const nowhere = scope().use(await openRabbitLocks({ urls: ['amqp://127.0.0.1:1'], namespace: 'n', connectTimeoutMs: 200 }))

    expect(await codeOf(nowhere.take('one'))).to.equal('BROKER_UNREACHABLE')
    expect(await codeOf(nowhere.take('one'))).to.equal('BROKER_UNREACHABLE')
  })

  it('carry nothing of the request in which they were first asked for', async () => {
    const storage = new AsyncLocalStorage<string>()
    const proxy = scope().use(await TcpProxy.to(url))
    const locks = await open(freshNamespace(), proxy.url)
    const seen: unknown[] = []

    const held = await storage.run('a request', () => locks.take('one'))
    held?.lost.addEventListener('abort', () => seen.push(storage.getStore()))
    proxy.reset()

    await until('the loss', () => seen.length === 1)
    expect(seen).to.deep.equal([undefined])
  })
})
