import type { Broker } from '#src/broker/broker.js'
import { RabbitCase } from '../../kit/rabbit-case.js'
import type { ProxyMode, TcpProxy } from '../../kit/tcp-proxy.js'
import { until } from '../../kit/until.js'
import { Ledger } from '../ledger.js'
import { pause, seconds, type Row, type RowContext } from '../row.js'

const HEARTBEAT_SECONDS = 1
const CONNECT_MS = 2000
const BAD_MS = 2000

/** Three silent heartbeats, an attempt to connect that fails, the longest pause between two; and a loaded machine. */
const MOST_OUTAGE_MS = 3000 * HEARTBEAT_SECONDS + CONNECT_MS + 5000 + 5000
/** Two seconds for an answer about the consumers, two for one about the connections, and a loaded machine. */
const MOST_CLOSE_MS = 6000

/** What is done to a line, and whether it has to be made good again. */
const FAULTS: readonly { readonly name: string; readonly mode?: ProxyMode; cut(proxy: TcpProxy): void }[] = [
  { name: 'reset', cut: (proxy) => proxy.reset() },
  { name: 'black hole', cut: (proxy) => proxy.freeze() },
  { name: 'accepts and stays silent', mode: 'silent', cut: (proxy) => proxy.reset() },
  { name: 'a byte now and then', mode: 'drip', cut: (proxy) => proxy.reset() },
  { name: 'black hole, then silent', mode: 'silent', cut: (proxy) => proxy.freeze() },
]

export const row: Row = {
  id: 'F12',
  title: 'the line is reset, swallows everything, stays silent, drips, and is cut at every step',
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node()
    const c = new RabbitCase(context.scope, node.url)
    const ledger = new Ledger()
    await outages(context, c, ledger)
    await cuts(context, c, ledger)
    await closes(context, c)

    await ledger.consume(await c.open())
    await until('everything', () => ledger.isComplete, 60_000).catch(() => {}) // what is missing then is counted
    const counts = ledger.counts()
    context.expect(counts.refused === 0, `every call is stored (${counts.refused} were refused)`)
    return counts
  },
}

const openAt = (c: RabbitCase, proxy: TcpProxy): Promise<Broker> =>
  c.open({ urls: [proxy.url], heartbeatSeconds: HEARTBEAT_SECONDS, connectTimeoutMs: CONNECT_MS, confirmTimeoutMs: 60_000 })

/** One process under load whose line goes bad in each way. */
async function outages(context: RowContext, c: RabbitCase, ledger: Ledger): Promise<void> {
  const proxy = await c.proxy()
  const broker = await openAt(c, proxy)
  await ledger.consume(broker)
  const stop = ledger.load(broker, 5)
  for (const { name, mode, cut } of FAULTS) {
    context.step(name)
    if (mode !== undefined) proxy.mode = mode
    cut(proxy)
    let since = Date.now()
    if (mode !== undefined) {
      await pause(BAD_MS)
      proxy.mode = 'pass'
      since = Date.now()
    }
    const [calls, runs] = [ledger.calls().length, ledger.runs().length]
    const isUp = (): boolean => ledger.calls().slice(calls).some(({ kind }) => kind === 'stored') && ledger.runs().length > runs
    await until(`calls and runs after "${name}"`, isUp, 60_000)
    const tookMs = Date.now() - since
    context.expect(tookMs <= MOST_OUTAGE_MS, `up within ${MOST_OUTAGE_MS} ms after "${name}" (${tookMs} ms)`)
    context.note(`${name}: ${seconds(tookMs)}`)
  }
  await stop()
  await broker.close()
}

/** A connection that is cut after each packet of its making, of publishing, and of consuming. */
async function cuts(context: RowContext, c: RabbitCase, ledger: Ledger): Promise<void> {
  const proxy = await c.proxy()
  const steps = context.size(16, 40)
  for (let step = 0; step < steps; step++) {
    proxy.cutAfter = step
    const broker = await openAt(c, proxy)
    await ledger.consume(broker)
    const before = ledger.runs().length
    await Promise.all([ledger.publish(broker), ledger.publish(broker, { delayMs: 20 })])
    await until('runs', () => ledger.runs().length > before, 60_000)
    proxy.cutAfter = Infinity
    await broker.close()
  }
  context.step(`cut at ${steps} steps`)
}

/** How long close() takes in every state of the line. */
async function closes(context: RowContext, c: RabbitCase): Promise<void> {
  const states: readonly ((proxy: TcpProxy) => void)[] = [
    () => {},
    ...FAULTS.map(({ mode, cut }) => (proxy: TcpProxy): void => {
      proxy.mode = mode ?? 'pass'
      cut(proxy)
    }),
    ...[0, 1, 2, 3].map((step) => (proxy: TcpProxy): void => void (proxy.cutAfter = step)),
  ]
  let longestMs = 0
  for (const state of states) {
    const proxy = await c.proxy()
    const broker = await openAt(c, proxy)
    await new Ledger().consume(broker, 'quiet')
    state(proxy)
    const since = Date.now()
    await broker.close()
    longestMs = Math.max(longestMs, Date.now() - since)
    proxy.mode = 'pass'
  }
  context.expect(longestMs <= MOST_CLOSE_MS, `close() takes ${MOST_CLOSE_MS} ms at most (${longestMs} ms)`)
  context.note(`longest close() ${seconds(longestMs)}`)
}
