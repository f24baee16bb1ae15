import { expect } from 'chai'
import { context, createTraceState, propagation, ROOT_CONTEXT, trace, TraceFlags, type Context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'
import { openTelemetry } from 'errand/opentelemetry'
import { refusalOf } from '../kit/sealing.js'
import { everyTurn } from './every-turn.js'

const traceId = (n: number): string => (n + 1).toString(16).padStart(32, '0')

/** A request that belongs to trace `n` and has it in its baggage too. */
function requestOf(n: number): Context {
  const span = { traceId: traceId(n), spanId: '00f067aa0ba902b7', traceFlags: TraceFlags.SAMPLED, traceState: createTraceState('vendor=x') }
  const traced = trace.setSpanContext(ROOT_CONTEXT, span)
  return propagation.setBaggage(traced, propagation.createBaggage({ tenant: { value: `tenant ${n}` } }))
}

const look = (): unknown => [
  trace.getSpanContext(context.active())?.traceId,
  trace.getSpanContext(context.active())?.traceState?.get('vendor'),
  propagation.getBaggage(context.active())?.getEntry('tenant')?.value,
]

describe('The OpenTelemetry carrier', () => {
  const carrier = openTelemetry()

  beforeEach(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    propagation.setGlobalPropagator(new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }))
  })

  afterEach(() => {
    context.disable()
    propagation.disable()
  })

  it('brings trace, vendor state and baggage of a request to the body, two hundred at once', async () => {
    const states = Array.from({ length: 200 }, (_, n) => JSON.parse(JSON.stringify(context.with(requestOf(n), () => carrier.capture()))) as Record<string, string>)

    const bodies = await Promise.all(states.map((state) => carrier.restore(state, () => everyTurn(look))))

    bodies.forEach((seen, n) => {
      for (const turn of seen) expect(turn).to.deep.equal([traceId(n), 'x', `tenant ${n}`])
    })
  })

  it('carries nothing when there is no trace, or no propagator', () => {
    expect(carrier.capture()).to.equal(undefined)

    propagation.disable()

    expect(context.with(requestOf(1), () => carrier.capture())).to.equal(undefined)
  })

  it('lets nothing in of the trace that happens to be active when the body begins', () => {
    const state = context.with(trace.deleteSpan(requestOf(1)), () => carrier.capture())

    const seen = context.with(requestOf(2), () => carrier.restore(state ?? {}, look))

    expect(seen).to.deep.equal([undefined, undefined, 'tenant 1'])
  })

  it('may be handed the API, and refuses options it does not have', () => {
    const handed = openTelemetry({ api: { context, propagation, ROOT_CONTEXT } })

    expect(context.with(requestOf(3), () => handed.capture())).to.have.property('traceparent').that.includes(traceId(3))
    refusalOf('OPTION_INVALID', () => openTelemetry({ tracer: 1 } as never))
  })
})
