import { assert } from 'chai'
import { asyncTask, ErrandError } from 'errand'
import { resolveTaskOptions, type TaskOptions } from '#src/core/task-options.js'
import { retryDelay, type RetryRule } from '#src/core/retry-policy.js'

describe('the limits of a task', () => {
  it('are none where none is given', () => {
    assert.isUndefined(resolveTaskOptions({}).limits)
  })

  it('space the starts of a rate evenly', () => {
    const rates = { '10/s': 100, '1/s': 1_000, '4/m': 15_000, '100/h': 36_000, '1000/d': 86_400, '1000/s': 1 } as const

    for (const [rate, spacingMs] of Object.entries(rates)) {
      assert.equal(resolveTaskOptions({ rate } as TaskOptions).limits?.spacingMs, spacingMs, rate)
    }
  })

  it('refuse a rate of any other form, and show what was given', () => {
    for (const rate of ['', '4', '4/', '/m', '0/s', '-1/s', '1.5/s', '4/min', ' 4/m', '4 / m', '4/M', '1e3/h', '04/m', '1001/s', '9'.repeat(400) + '/d', 4, null, {}]) {
      assert.throws(() => resolveTaskOptions({ rate } as unknown as TaskOptions, '@asyncTask on Mail.send'), ErrandError, /Mail\.send rate must be starts per .*'4\/m'.*, got /)
    }
  })

  it('refuse a concurrency that is no whole number from 1 to 1000', () => {
    for (const concurrency of [0, -1, 1.5, Infinity, Number.NaN, 1_001, '2', null]) {
      assert.throws(() => resolveTaskOptions({ concurrency } as unknown as TaskOptions), ErrandError, /concurrency must be a whole number from 1 to 1000/)
    }
  })

  it('refuse a limitBy that is no function, or limits nothing', () => {
    assert.throws(() => resolveTaskOptions({ concurrency: 1, limitBy: 'tenant' } as unknown as TaskOptions), ErrandError, /limitBy must be a function/)
    assert.throws(() => resolveTaskOptions({ limitBy: () => 'a' }), ErrandError, /Add concurrency or rate/)
  })

  it('are refused where they are written', () => {
    assert.throws(() => asyncTask({ concurrency: 0 }), ErrandError, /concurrency/)
    assert.throws(() => asyncTask(async function never() {}, { rate: '0/s' }), ErrandError, /rate/)
  })
})

describe('errors that deserve no other run', () => {
  const rule = (more: Partial<RetryRule>): RetryRule => ({ retries: 3, backoffMs: 100, retryIf: undefined, ...more })
  const after = (error: unknown, more: Partial<RetryRule>) => retryDelay(rule(more), { failures: 1, error, defaultRetries: 0 }, () => 1)

  it('are named by class, those below it included, or by code', () => {
    class Refused extends RangeError {}
    const denied = Object.assign(new Error('x'), { code: 'EACCES' })
    const noRetryOn = [RangeError, 'EACCES']

    assert.deepEqual([new RangeError(), new Refused(), denied].map((error) => after(error, { noRetryOn })), [undefined, undefined, undefined])
    assert.deepEqual([new Error('EACCES'), new TypeError(), 'EACCES', null, undefined].map((error) => after(error, { noRetryOn })), [100, 100, 100, 100, 100])
  })

  it('count whatever retryIf says', () => {
    assert.isUndefined(after(new RangeError(), { noRetryOn: [RangeError], retryIf: () => true }))
    assert.isUndefined(after(new Error('x'), { noRetryOn: [RangeError], retryIf: () => false }))
  })

  it('are refused where an alias is a text and no list', () => {
    assert.throws(() => resolveTaskOptions({ aliases: 'Mail.send' } as unknown as TaskOptions), ErrandError, /aliases must be a list of former names/)
  })

  it('are refused in any other form', () => {
    for (const noRetryOn of [RangeError, 'EACCES', [''], [null], [5], [() => true]]) {
      assert.throws(() => resolveTaskOptions({ noRetryOn } as unknown as TaskOptions), ErrandError, /noRetryOn must be a list of error classes and codes/)
    }
  })

  it('do not change that a first wait longer than an hour is kept, and that no number of attempts breaks the sum', () => {
    assert.equal(retryDelay(rule({ backoffMs: 7_200_000 }), { failures: 1, error: new Error('x'), defaultRetries: 0 }, () => 1), 7_200_000)
    assert.equal(retryDelay(rule({ retries: 5_000, backoffMs: 0 }), { failures: 2_000, error: new Error('x'), defaultRetries: 0 }, () => 1), 0)
  })

  it('need no endless retries: those are refused', () => {
    assert.throws(() => resolveTaskOptions({ retries: Infinity }), ErrandError, /retries must be a whole number from 0 up .*, got Infinity/)
  })
})
