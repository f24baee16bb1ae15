import { expect } from 'chai'
import * as nestjsClsModule from 'nestjs-cls'
import { CLS_ID, CLS_REQ, ClsServiceManager } from 'nestjs-cls'
import { nestjsCls } from 'errand/nestjs-cls'
import { loadPackage } from '#src/carriers/load-package.js'
import { refusalOf } from '../kit/sealing.js'
import { everyTurn } from './every-turn.js'

const service = ClsServiceManager.getClsService()

/** Captures in a request that has these values, and what the message makes of it. */
const captureWith = (values: Record<PropertyKey, unknown>, carrier = nestjsCls()): ReturnType<typeof carrier.capture> =>
  service.runWith(values, () => {
    const state = carrier.capture()
    return state === undefined ? undefined : (JSON.parse(JSON.stringify(state)) as typeof state) // as it was written
  })

/** Runs `fn` as a body with the state of a request that had these values. */
function inBody<T>(values: Record<PropertyKey, unknown>, fn: () => T, carrier = nestjsCls()): T {
  const state = captureWith(values, carrier)
  if (state === undefined) return expect.fail('nothing was captured')
  return carrier.restore(state, fn)
}

describe('The nestjs-cls carrier', () => {
  it('brings the values and the id of a request to the body, through everything it awaits', async () => {
    const values = { tenant: 'acme', user: { id: 7 }, 'a.b': 1, [CLS_ID]: 'request-1' }

    const seen = await inBody(values, () => everyTurn(() => [service.get('tenant'), service.get('user'), service.getId()]))

    for (const turn of seen) expect(turn).to.deep.equal(['acme', { id: 7 }, 'request-1'])
    expect(inBody(values, () => service.get())).to.deep.include({ 'a.b': 1 })
    expect(service.isActive()).to.equal(false)
  })

  it('keeps two hundred requests apart in two hundred bodies at once', async () => {
    const bodies = await Promise.all(Array.from({ length: 200 }, (_, id) => inBody({ user: id }, () => everyTurn(() => service.get('user')))))

    bodies.forEach((seen, id) => expect(new Set(seen)).to.deep.equal(new Set([id])))
  })

  it('carries nothing from outside a request', () => {
    expect(nestjsCls().capture()).to.equal(undefined)
  })

  it('leaves behind what Nest keeps there, and what cannot travel', () => {
    const store = inBody({ tenant: 'acme', act: () => 1, [CLS_REQ]: { headers: { authorization: 'secret' } } }, () => service.get())

    expect(store).to.deep.equal({ tenant: 'acme' })
  })

  it('carries listed keys only, and fails the call when one of them cannot travel', () => {
    const carrier = nestjsCls({ keys: ['tenant', 'act'] })

    expect(inBody({ tenant: 'acme', token: 'secret' }, () => service.get(), carrier)).to.deep.equal({ tenant: 'acme' })
    expect(refusalOf('VALUE_UNSERIALIZABLE', () => captureWith({ act: () => 1 }, carrier)).message).to.include('"act"')
  })

  it('lets nothing in that happens to hold when the body begins', () => {
    const state = captureWith({ tenant: 'acme' })

    const store = service.runWith({ leftover: 1 } as never, () => nestjsCls().restore(state as never, () => service.get()))

    expect(store).to.deep.equal({ tenant: 'acme' })
  })

  it('uses the module it was handed', () => {
    const carrier = nestjsCls({ module: nestjsClsModule })

    expect(inBody({ tenant: 'acme' }, () => service.get('tenant'), carrier)).to.equal('acme')
  })

  it('refuses options it does not have, and a state it did not write', () => {
    refusalOf('OPTION_INVALID', () => nestjsCls({ key: [] } as never))
    for (const state of [null, 1, {}, { values: { a: 1 } }]) {
      refusalOf('CONTEXT_UNRESTORABLE', () => nestjsCls().restore(state as never, () => {}))
    }
  })
})

describe('An optional package', () => {
  it('that is missing is named, with who needs it and the command that installs it', () => {
    const refusal = refusalOf('PACKAGE_MISSING', () => loadPackage('a-package-that-nobody-has', 'The carrier nestjsCls()'))

    expect(refusal.message).to.match(/^The carrier nestjsCls\(\) needs .*npm install a-package-that-nobody-has$/)
  })
})
