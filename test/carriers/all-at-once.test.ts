import { context as otel, propagation, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { expect } from 'chai'
import { createNamespace, destroyNamespace, type Namespace } from 'cls-hooked'
import { clsHooked } from 'errand/cls-hooked'
import { nestjsCls } from 'errand/nestjs-cls'
import { openTelemetry } from 'errand/opentelemetry'
import { ClsServiceManager } from 'nestjs-cls'
import { captureCarriers, carriersInUse, carry, restoreCarriers } from '#src/core/carrier.js'
import { context, currentScope, runInScope, withContext } from '#src/core/context.js'
import { callWith, messagesWith } from '../kit/sealing.js'
import { everyTurn } from './every-turn.js'

const BODIES = 200
const traceId = (n: number): string => (n + 1).toString(16).padStart(32, '0')

describe('All carriers together', () => {
  const nest = ClsServiceManager.getClsService()
  const messages = messagesWith()
  let namespace: Namespace
  let others: ReadonlySet<string> = new Set()

  before(() => {
    others = new Set(carriersInUse().keys())
    namespace = createNamespace('all-at-once')
    otel.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    propagation.setGlobalPropagator(new W3CTraceContextPropagator())
    carry(clsHooked())
    carry(nestjsCls())
    carry(openTelemetry())
  })

  after(() => {
    otel.disable()
    propagation.disable()
    destroyNamespace('all-at-once')
    const all = carriersInUse() as Map<string, unknown> // a map that others may only read
    for (const name of [...all.keys()].filter((name) => !others.has(name))) all.delete(name)
  })

  /** The bytes that a call in request `n` sends. */
  function callIn(n: number): Buffer {
    const span = { traceId: traceId(n), spanId: '00f067aa0ba902b7', traceFlags: TraceFlags.SAMPLED }
    const call = (): Buffer => messages.sealCall(callWith({ context: currentScope()?.context, carriers: captureCarriers() }))
    const inNest = (): Buffer => nest.runWith({ tenant: `nest ${n}` } as never, () => otel.with(trace.setSpanContext(ROOT_CONTEXT, span), call))
    return withContext({ user: { id: n } }, () =>
      namespace.runAndReturn(() => {
        namespace.set('token', `token ${n}`)
        return inNest()
      }),
    )
  }

  const look = (): unknown => [
    Reflect.get(context().user ?? {}, 'id'),
    namespace.get('token'),
    nest.get('tenant'),
    trace.getSpanContext(otel.active())?.traceId,
  ]

  it('bring two hundred requests through sealed messages to two hundred bodies at once', async () => {
    const sent = Array.from({ length: BODIES }, (_, n) => callIn(n))

    const bodies = await Promise.all(
      sent.map((bytes) => {
        const call = messages.openCall(bytes)
        return restoreCarriers(call.carriers, () => runInScope({ context: call.context }, () => everyTurn(look)))
      }),
    )

    bodies.forEach((seen, n) => {
      for (const turn of seen) expect(turn).to.deep.equal([n, `token ${n}`, `nest ${n}`, traceId(n)])
    })
    expect(look()).to.deep.equal([undefined, undefined, undefined, undefined])
  })

  it('show the trace in the message, and nothing else', () => {
    const text = callIn(5).toString()

    expect(text).to.include('"opentelemetry":{"traceparent"')
    expect(text).to.not.include('token 5').and.to.not.include('nest 5')
  })
})
