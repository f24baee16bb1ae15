import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { assert } from 'chai'
import { asyncTask, background, isAsyncTask, start, withContext, context, type StartOptions } from 'errand'
import { eachScope, type Scope } from '../kit/temporary.js'

class LocalService {
  seen: unknown[] = []

  @asyncTask({ result: true })
  async note(value: unknown): Promise<string> {
    this.seen.push({ value, user: context().user, inTask: isAsyncTask() })
    return 'noted'
  }
}

describe('start()', () => {
  const scope = eachScope()

  it('with withAsync: false opens nothing, and bodies run here with the very objects of the caller', async () => {
    const running = await start(inFolder(scope(), { withAsync: false }))
    scope().defer(() => running.stop())
    const local = new LocalService()
    const callback = (): void => {}

    assert.equal(await withContext({ user: { id: 1 } }, () => local.note(callback)), 'noted')

    assert.deepEqual(local.seen, [{ value: callback, user: { id: 1 }, inTask: true }])
    assert.isFalse(existsSync(dataOf(scope())))
  })

  it('with withAsync: false answers handles too, and a failure waits for whoever asks for the result', async () => {
    const running = await start(inFolder(scope(), { withAsync: false }))
    scope().defer(() => running.stop())

    const task = await background(new LocalService()).note(1)

    assert.equal(await task.result(), 'noted')
  })

  it('answers what runs already when it is called again without options, and refuses other options', async () => {
    const running = await start(inFolder(scope(), { withAsync: true, worker: { spawn: false } }))
    scope().defer(() => running.stop())

    assert.equal(await start(), running)
    await rejectsWith('CALL_INVALID', start({ service: 'another' }))
  })

  it('rejects for a configuration that cannot be used, and can be called again after that', async () => {
    // @ts-expect-error -- a text is what the test is about
    await rejectsWith('CONFIG_INVALID', start(inFolder(scope(), { withAsync: 'false' })))

    const running = await start(inFolder(scope(), { withAsync: false }))
    await running.stop()
  })

  it('rejects when the broker is not there, and shows no password', async () => {
    const broker = { url: 'amqp://shop:hunter2-secret@127.0.0.1:1', connectTimeout: '200ms' }
    const error = await rejectsWith('BROKER_UNREACHABLE', start(inFolder(scope(), { withAsync: true, broker })))

    assert.notInclude(error.message, 'hunter2-secret')
  })

  it('stopped once, makes calls reject instead of waiting for nobody', async () => {
    const running = await start(inFolder(scope(), { withAsync: true, worker: { spawn: false } }))
    await running.stop()
    await running.stop()

    await rejectsWith('BROKER_CLOSED', new LocalService().note(1))
  })

  it('forbids calls outside any request where the configuration says so, or runs them here', async () => {
    const strict = await start(inFolder(scope(), { withAsync: true, outsideRequest: 'error', worker: { spawn: false } }))
    await rejectsWith('OUTSIDE_REQUEST', new LocalService().note(1))
    await strict.stop()

    const inline = await start(inFolder(scope(), { withAsync: true, outsideRequest: 'inline', worker: { spawn: false } }))
    scope().defer(() => inline.stop())
    assert.equal(await new LocalService().note(1), 'noted')
  })

  it('refuses a message above the payload limit and names task and size', async () => {
    const running = await start(inFolder(scope(), { withAsync: true, payloadLimit: '2kb', worker: { spawn: false } }))
    scope().defer(() => running.stop())

    const error = await rejectsWith('PAYLOAD_TOO_LARGE', new LocalService().note('x'.repeat(5000)))

    assert.match(error.message, /LocalService\.note/)
  })
})

/** Options that read an empty configuration file in the folder of the test, not the one of this project. */
function inFolder(scope: Scope, options: StartOptions): StartOptions {
  const config = join(scope.folder(), 'async.config.yaml')
  writeFileSync(config, 'service: local\n')
  return { config, dataDir: dataOf(scope), ...options }
}

const dataOf = (scope: Scope): string => join(scope.folder(), 'data')

async function rejectsWith(code: string, promise: Promise<unknown>): Promise<Error> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.instanceOf(error, Error)
  assert.propertyVal(error, 'code', code)
  return error
}
