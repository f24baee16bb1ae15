import { assert } from 'chai'
import { background, currentTask, currentTaskId, enqueue, ErrandError, isAsyncTask, original, perform, withContext } from 'errand'
import { startTesting, type Testing } from 'errand/testing'
import { add, ShopOrder, shop, ShopService } from './services.js'

const ada = { id: 7, name: 'Ada' }
const asAda = <T>(fn: () => T): T => withContext({ user: ada, url: 'https://shop.example/orders?x=1', method: 'POST' }, fn)

describe('a call of a task', () => {
  let testing: Testing

  beforeEach(async () => {
    shop.seen.length = 0
    testing = await startTesting({ instances: [shop] })
  })
  afterEach(() => testing.stop())

  it('sends one message and runs the body once, on the exported instance, as its caller', async () => {
    await asAda(() => shop.place(new ShopOrder(1, 5n)))
    await testing.idle()

    assert.deepEqual(shop.seen, [{ value: new ShopOrder(1, 5n), user: ada, attempt: 1 }])
    assert.equal(testing.calls.length, 1)
  })

  it('works the same without parentheses behind the decorator', async () => {
    await asAda(() => shop.bare('hello'))
    await testing.idle()

    assert.deepEqual(shop.seen, [{ value: 'hello', user: ada, attempt: 1 }])
  })

  it('resolves a void task before its body has run', async () => {
    await shop.bare(1)

    assert.deepEqual(shop.seen, [])
    await testing.idle()
  })

  it('resolves a result task with the value of its body, made by an instance of the argument class', async () => {
    assert.equal(await asAda(() => shop.label(new ShopOrder(3, 9n))), 'order 3 of 9 for Ada')
  })

  it('rejects with the error of the body: class, message, code and cause', async () => {
    const error = await rejection(shop.fail())

    assert.instanceOf(error, RangeError)
    assert.include(error, { message: 'no stock', code: 'NO_STOCK' })
    assert.instanceOf(error.cause, TypeError)
  })

  it('rejects with class, message and code of an error whose other fields cannot travel', async () => {
    const error = await rejection(shop.failWithSocket())

    assert.instanceOf(error, TypeError)
    assert.include(error, { message: 'connection lost', code: 'ECONNLOST' })
  })

  it('rejects when the value of the body cannot travel', async () => {
    assert.include(await rejection(shop.answerFunction()), { code: 'VALUE_UNSERIALIZABLE' })
  })

  it('sends values as they were at the call, whatever the caller changes afterwards', async () => {
    const basket = { items: ['pen'] }
    const sent = shop.bare(basket)
    basket.items.push('ink')
    await sent
    await testing.idle()

    assert.deepInclude(shop.seen[0], { value: { items: ['pen'] } })
  })

  it('refuses an argument that cannot travel, names its path, and sends nothing', async () => {
    const error = await rejection(shop.bare({ order: { notify: () => {} } }))

    assert.include(error, { code: 'VALUE_UNSERIALIZABLE' })
    assert.match(error.message, /ShopService\.bare: argument 0 at "order\.notify" is a function/)
    assert.deepEqual(testing.calls, [])
  })

  it('becomes a new message with the same caller when a body makes it', async () => {
    await asAda(() => shop.outer())
    await testing.idle()

    assert.deepEqual(
      testing.calls.map((call) => call.task),
      ['ShopService.outer', 'ShopService.bare'],
    )
    assert.deepInclude(shop.seen[0], { value: 'from inside', user: ada })
  })

  it('is sent outside any request too, with an empty context', async () => {
    await shop.bare(1)
    await testing.idle()

    assert.deepInclude(shop.seen[0], { user: undefined })
    assert.isUndefined(testing.calls[0]?.context)
  })

  it('runs static methods on their class and plain functions without an object', async () => {
    assert.equal(await ShopService.version(), 'ShopService')
    assert.equal(await add(2, 3), 5)
    assert.deepEqual(
      testing.calls.map((call) => call.task),
      ['ShopService.version', 'add'],
    )
  })

  it('tells a body which task it is, and nobody else', async () => {
    const { id, ...rest } = await shop.describe()

    assert.deepEqual(rest, { attempt: 1, name: 'ShopService.describe', inTask: true, sameThis: true })
    assert.equal(id, testing.calls[0]?.id)
    assert.isFalse(isAsyncTask())
    assert.isUndefined(currentTaskId())
    assert.throws(() => currentTask(), ErrandError, /outside the body of a task/)
  })
})

describe('a call that does not wait', () => {
  let testing: Testing

  beforeEach(async () => {
    testing = await startTesting({ instances: [shop] })
  })
  afterEach(() => testing.stop())

  it('answers a handle whose result is the value of the body', async () => {
    const task = await asAda(() => background(shop).label(new ShopOrder(1, 2n)))

    assert.equal(task.task, 'ShopService.label')
    assert.equal(task.id, testing.calls[0]?.id)
    assert.equal(await task.result(), 'order 1 of 2 for Ada')
    assert.equal(await task.result(), 'order 1 of 2 for Ada')
  })

  it('can be written as a lambda, with options of its own', async () => {
    const task = await enqueue(() => shop.bare('later'), { delay: '5ms', priority: 9, queue: 'slow' })
    await task.result()

    assert.deepInclude(testing.calls[0], { delayMs: 5, priority: 9, queue: 'slow' })
  })

  it('can be chosen at run time', async () => {
    const task = await perform(add, 20, 22)

    assert.equal(await task.result(), 42)
  })

  it('rejects through its handle when the body threw', async () => {
    const task = await background(shop).fail()

    assert.instanceOf(await rejection(task.result()), RangeError)
  })

  it('stops waiting at the given time, and the task goes on', async () => {
    const task = await background(shop, { delay: '300ms' }).label(new ShopOrder(1, 2n))

    assert.include(await rejection(task.result({ timeout: '1ms' })), { code: 'RESULT_TIMEOUT' })
    assert.match(await task.result(), /order 1/)
  })

  it('stops waiting when its signal aborts', async () => {
    const task = await background(shop, { delay: '50ms' }).bare(1)

    assert.equal((await rejection(task.result({ signal: AbortSignal.abort(new RangeError('enough')) }))).message, 'enough')
    await task.result()
  })

  it('refuses a lambda that calls no task, two, or one after an await', async () => {
    assert.include(await rejection(enqueue(() => shop.plain())), { code: 'CALL_INVALID' })
    assert.match((await rejection(enqueue(() => Promise.all([shop.bare(1), shop.bare(2)])))).message, /called 2 tasks/)
    const late = enqueue(async () => {
      await Promise.resolve()
      await shop.bare(1)
    })
    assert.include(await rejection(late), { code: 'CALL_INVALID' })
    assert.deepEqual(testing.calls, [])
  })

  it('refuses methods and functions that are no tasks, without running them', async () => {
    assert.include(await rejection(background(shop).plain()), { code: 'NOT_A_TASK' })
    assert.include(await rejection(perform(async () => 1)), { code: 'NOT_A_TASK' })
    assert.match(String(await rejection(perform(async () => {}))), /perform\(\) got an anonymous function, which is not a task/)
    assert.throws(() => original(shop, 'plain'), ErrandError, /"plain", which is not a task/)
  })

  it('refuses unknown options and bad values before anything is sent', async () => {
    // @ts-expect-error -- misspelt on purpose
    assert.throws(() => background(shop, { dellay: 1 }), ErrandError, 'Did you mean "delay"?')
    // @ts-expect-error -- no unit of time
    assert.throws(() => background(shop, { delay: '5 fortnights' }), ErrandError, /delay must be seconds/)
    assert.throws(() => background(shop, { priority: 11 }), ErrandError, /priority must be a whole number/)
    assert.include(await rejection(enqueue(() => shop.bare(1), { queue: 'a b' })), { code: 'OPTION_INVALID' })
  })

  it('is not mistaken for a promise when it is awaited', async () => {
    assert.isUndefined(Reflect.get(background(shop), 'then'))
  })
})

describe('the undecorated body', () => {
  it('runs here, now, and answers its own value', async () => {
    assert.equal(await original(shop, 'label').call(shop, new ShopOrder(1, 2n)), 'order 1 of 2 for undefined')
    assert.equal(await original(add)(1, 2), 3)
  })
})

async function rejection(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise
  } catch (error) {
    return error as Error & Record<string, unknown> // what these tests expect to be thrown
  }
  throw new ErrandError('CALL_INVALID', 'The promise was expected to reject.')
}
