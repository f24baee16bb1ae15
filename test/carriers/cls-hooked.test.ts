import { expect } from 'chai'
import { createNamespace, destroyNamespace, getNamespace, type Namespace } from 'cls-hooked'
import { clsHooked, type ClsHookedNamespaces } from 'errand/cls-hooked'
import { outside } from '#src/core/outside.js'
import { refusalOf } from '../kit/sealing.js'
import { eachScope } from '../kit/temporary.js'
import { everyTurn } from './every-turn.js'

type State = ReturnType<ReturnType<typeof clsHooked>['capture']>

/** What becomes of a state on its way. */
const throughJson = (state: State): NonNullable<State> => JSON.parse(JSON.stringify(state)) as NonNullable<State> // as it was written

describe('The cls-hooked carrier', () => {
  const scope = eachScope()
  let count = 0

  /** A namespace that goes with the test, with a name of its own. */
  function makeNamespace(): { readonly name: string; readonly namespace: Namespace } {
    const name = `app-${++count}`
    const namespace = createNamespace(name)
    scope().defer(() => {
      if (getNamespace(name)) destroyNamespace(name)
    })
    return { name, namespace }
  }

  const runWith = <T>(namespace: Namespace, values: Record<string, unknown>, fn: () => T): T =>
    namespace.runAndReturn(() => {
      for (const [key, value] of Object.entries(values)) namespace.set(key, value)
      return fn()
    })

  it('brings the values of a request to the body, in the same namespace, through everything it awaits', async () => {
    const { namespace } = makeNamespace()
    const carrier = clsHooked()
    const values = { tenant: 'acme', locale: 'fr', nested: { list: [1, null, 'é'] }, zero: 0, no: false, empty: '', nothing: null }

    const state = throughJson(runWith(namespace, values, () => carrier.capture()))
    const seen = await carrier.restore(state, () => everyTurn(() => Object.keys(values).map((key) => namespace.get(key) as unknown)))

    for (const turn of seen) expect(turn).to.deep.equal(Object.values(values))
    expect(namespace.active).to.equal(null)
  })

  it('keeps two hundred nested snapshots apart in two hundred bodies at once', async () => {
    const [outer, inner] = [makeNamespace().namespace, makeNamespace().namespace]
    const carrier = clsHooked()
    const look = (): unknown => [outer.get('request'), outer.get('step'), inner.get('id2')]
    const states = Array.from({ length: 200 }, (_, id) =>
      runWith(outer, { request: `r${id}`, step: 'around' }, () =>
        runWith(outer, { step: `s${id}` }, () => runWith(inner, { id2: id }, () => throughJson(carrier.capture()))),
      ),
    )

    const bodies = await Promise.all(states.map((state) => carrier.restore(state, () => everyTurn(look))))

    bodies.forEach((seen, id) => {
      for (const turn of seen) expect(turn).to.deep.equal([`r${id}`, `s${id}`, id])
    })
    expect([outer.active, inner.active]).to.deep.equal([null, null])
  })

  it('carries nothing from outside all namespaces, and an empty one from inside an empty one', () => {
    const { name, namespace } = makeNamespace()
    const carrier = clsHooked()

    expect(carrier.capture()).to.equal(undefined)
    const state = throughJson(runWith(namespace, {}, () => carrier.capture()))

    expect(state).to.deep.equal({ [name]: {} })
    carrier.restore(state, () => {
      // the body may add its own, as the request handler could
      namespace.set('added', 1)
      expect(namespace.get('added')).to.equal(1)
    })
  })

  it('copies values at the moment of the call', () => {
    const { namespace } = makeNamespace()
    const user = { name: 'Ada' }

    const state = runWith(namespace, { user }, () => clsHooked().capture())
    user.name = 'Eve'

    clsHooked().restore(state ?? {}, () => expect(namespace.get('user')).to.deep.equal({ name: 'Ada' }))
  })

  it('leaves behind what cannot travel when nobody asked for it', () => {
    const { namespace } = makeNamespace()
    const values = { tenant: 'acme', act: () => 1, deep: { act: () => 1 }, absent: undefined }

    const state = throughJson(runWith(namespace, values, () => clsHooked().capture()))

    clsHooked().restore(state, () => {
      expect(namespace.get('tenant')).to.equal('acme')
      for (const key of ['act', 'deep', 'absent']) expect(namespace.get(key)).to.equal(undefined)
    })
  })

  it('carries listed keys only, of listed namespaces only', () => {
    const [app, other] = [makeNamespace(), makeNamespace()]
    const carrier = clsHooked({ [app.name]: ['tenant', 'locale'] })

    const state = runWith(other.namespace, { a: 1 }, () => runWith(app.namespace, { tenant: 'acme', token: 'secret' }, () => carrier.capture()))

    expect(state).to.deep.equal({ [app.name]: { tenant: '"acme"' } })
  })

  it('fails the call when a listed value cannot travel, and names key and namespace', () => {
    const { name, namespace } = makeNamespace()
    const carrier = clsHooked({ [name]: ['act'] })

    const refusal = refusalOf('VALUE_UNSERIALIZABLE', () => runWith(namespace, { act: () => 1 }, () => carrier.capture()))

    expect(refusal.message).to.include('"act"').and.to.include(name)
  })

  it('carries the key "id" only when it is listed: cls-hooked has a number of its own there', () => {
    const { name, namespace } = makeNamespace()
    const capture = (namespaces?: ClsHookedNamespaces): State => runWith(namespace, { id: 'mine' }, () => clsHooked(namespaces).capture())

    expect(capture()).to.deep.equal({ [name]: {} })
    expect(capture({ [name]: true })).to.deep.equal({ [name]: {} })
    const state = capture({ [name]: ['id'] }) ?? {}

    clsHooked().restore(state, () => expect(namespace.get('id')).to.equal('mine'))
  })

  it('uses the namespace it was handed, in both directions', () => {
    const { namespace } = makeNamespace()
    const carrier = clsHooked({ mine: { namespace, keys: ['tenant'] } })

    const state = throughJson(runWith(namespace, { tenant: 'acme', other: 1 }, () => carrier.capture()))

    expect(state).to.deep.equal({ mine: { tenant: '"acme"' } })
    carrier.restore(state, () => expect(namespace.get('tenant')).to.equal('acme'))
  })

  it('fails the task when the worker lacks the namespace, and says where to create it', () => {
    const state = { gone: { tenant: '"acme"' } }
    let ran = false

    const refusal = refusalOf('CONTEXT_UNRESTORABLE', () => clsHooked().restore(state, () => (ran = true)))

    expect(refusal.message).to.include(`createNamespace('gone')`).and.to.include('services import')
    expect(ran).to.equal(false)
    const { name } = makeNamespace()
    destroyNamespace(name)
    refusalOf('CONTEXT_UNRESTORABLE', () => clsHooked().restore({ [name]: {} }, () => {}))
    refusalOf('CONTEXT_UNRESTORABLE', () => clsHooked().restore({ constructor: {} }, () => {}))
  })

  it('fails the task when the state is not what it writes', () => {
    const { name } = makeNamespace()

    for (const copies of [null, 'x', { a: 1 }]) {
      refusalOf('CONTEXT_UNRESTORABLE', () => clsHooked().restore({ [name]: copies } as never, () => {}))
    }
  })

  it('lets nothing in that happens to hold when the body begins', () => {
    const { namespace } = makeNamespace()
    const state = runWith(namespace, { tenant: 'acme' }, () => clsHooked().capture()) ?? {}

    runWith(namespace, { leftover: 'of another', tenant: 'other' }, () => {
      clsHooked().restore(state, () => {
        expect(namespace.get('leftover')).to.equal(undefined)
        expect(namespace.get('tenant')).to.equal('acme')
      })
      expect(namespace.get('tenant')).to.equal('other')
    })
  })

  it('gives back what the body gives, and throws what it throws with none of the values attached', async () => {
    const { namespace } = makeNamespace()
    const carrier = clsHooked()
    const state = runWith(namespace, { token: 'secret' }, () => carrier.capture()) ?? {}
    const own = new RangeError('no')
    const fail = (): never => {
      throw own
    }

    expect(carrier.restore(state, () => 'value')).to.equal('value')
    expect(await carrier.restore(state, async () => namespace.get('token') as unknown)).to.equal('secret')
    expect(() => carrier.restore(state, fail)).to.throw(own)
    expect(Reflect.ownKeys(own)).to.not.include('error@context')
    expect(namespace.active).to.equal(null)
  })

  it('brings back nothing changed under a name such as "__proto__"', () => {
    const { namespace } = makeNamespace()
    const values = JSON.parse('{"constructor":"c","toString":"t"}') as Record<string, unknown>

    const state = throughJson(runWith(namespace, values, () => clsHooked().capture()))

    clsHooked().restore(state, () => expect([namespace.get('constructor'), namespace.get('toString')]).to.deep.equal(['c', 't']))
  })

  it('does not load cls-hooked, so that the list of the application stays as it is', async () => {
    const { name, namespace } = makeNamespace()

    await import('errand/cls-hooked')
    clsHooked().capture()

    expect(getNamespace(name)).to.equal(namespace)
  })

  it('finds nothing to carry in what runs outside the request', () => {
    const { name, namespace } = makeNamespace()

    const state = runWith(namespace, { tenant: 'acme' }, () => outside(() => clsHooked().capture()))

    expect(state?.[name] ?? {}).to.deep.equal({})
  })

  it('refuses choices that are none', () => {
    for (const choice of [false, 'tenant', [1], {}, { namespace: {} }, { namespace: makeNamespace().namespace, keys: 'a' }, { key: [] }]) {
      expect(refusalOf('OPTION_INVALID', () => clsHooked({ app: choice } as never)).message).to.include('"app"')
    }
  })
})
