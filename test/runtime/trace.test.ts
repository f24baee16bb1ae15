import { expect } from 'chai'
import { ErrandError } from 'errand'
import { traceOf } from '#src/runtime/trace.js'

describe('An error in the log', () => {
  it('is told with its code and its causes', () => {
    const refused = Object.assign(new TypeError('refused'), { code: 'E_REFUSED' })

    const trace = traceOf(new Error('no mail', { cause: new Error('no connection', { cause: refused }) }))

    expect(trace).to.match(/^Error: no mail\n +at [^]*\ncaused by Error: no connection\n +at [^]*\ncaused by E_REFUSED TypeError: refused\n +at /)
  })

  it('does not repeat a code that Node has written down', () => {
    const error = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' })

    expect(traceOf(error)).to.match(/^Error: ENOENT: no such file\n/)
  })

  it('is told without the inside of the library when it comes from there', () => {
    const error = new ErrandError('INSTANCE_UNAVAILABLE', 'Cannot run Mail.send: new Mail() failed.', { cause: new RangeError('no port') })

    expect(traceOf(error)).to.match(/^INSTANCE_UNAVAILABLE Cannot run Mail\.send: new Mail\(\) failed\.\ncaused by RangeError: no port\n +at /)
  })

  it('keeps the place of a call that failed', () => {
    expect(traceOf(new ErrandError('BROKER_UNREACHABLE', 'Cannot publish.'))).to.match(/^BROKER_UNREACHABLE ErrandError: Cannot publish\.\n +at /)
  })

  it('ends although its causes form a circle', () => {
    const error = new Error('round')
    error.cause = error

    expect(traceOf(error).split('caused by')).to.have.length(8)
  })
})
