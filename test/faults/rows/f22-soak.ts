import { TcpProxy } from '../../kit/tcp-proxy.js'
import type { RabbitNode } from '../../kit/rabbit-node.js'
import type { WorkerProcess } from '../fleet-process.js'
import type { Usage } from '../processes/orders.js'
import { brokerAt, pause, type Row, type RowContext } from '../row.js'
import { deadLetters } from '../run-row.js'

const PER_SECOND = 200
const SETTLE_MS = 8000

/** Room for what a heap holds between two collections. */
const MORE_MB = 120
/** Sockets and pipes: each of the two connections may be one that is just being made anew. Runs differ by none. */
const MORE_LASTING = 2
/** Each of the tasks that may run at a time has a timer while it does; of 5 ms that is one or none, and all after a pause. */
const MORE_TIMERS = 20
const MORE_CHANNELS = 4

export const row: Row = {
  id: 'F22',
  title: `${PER_SECOND} calls a second while at random the broker and workers are killed, frozen and cut off`,
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node()
    const proxy = context.scope.use(await TcpProxy.to(node.url))
    // the steady ones are measured; what happens to them happens to their connections
    const fleet = context.fleet(brokerAt([proxy.url], { heartbeat: '2s', connectTimeout: '3s' }))
    await fleet.startWorkers(2)
    const [steady] = fleet.workers
    await fleet.startWorkers(1, { broker: { urls: [node.url], heartbeat: '2s' } })
    const victim = fleet.workers.at(-1)
    const server = await fleet.server()
    if (steady === undefined || victim === undefined) throw new Error('there are no workers')

    const load = fleet.load(server, { perSecond: PER_SECOND, how: { ms: 5 } })
    await fleet.settled()
    await pause(SETTLE_MS)
    const measure = async () => ({ server: server.usage, worker: steady.usage, channels: await channelsOf(node) })
    const before = await measure()
    const until = Date.now() + context.size(40_000, 3_600_000)
    const done: Record<string, number> = {}
    while (Date.now() < until) {
      await pause(context.random.between(500, 3000))
      const what = await fault(context, { node, proxy, victim })
      done[what] = (done[what] ?? 0) + 1
    }
    context.step('no faults any more')
    await fleet.confirmsAgain()
    await pause(SETTLE_MS)
    const after = await measure()
    await load.stop()
    const counts = await fleet.drained()

    for (const who of ['server', 'worker'] as const) {
      const [was, is] = [before[who], after[who]]
      context.expect(is.rssMb <= was.rssMb + MORE_MB, `the ${who} keeps its memory: ${was.rssMb} MB, then ${is.rssMb} MB`)
      const [lasting, timers] = [lastingOf(is) - lastingOf(was), timersOf(is) - timersOf(was)]
      context.expect(lasting <= MORE_LASTING, `the ${who} keeps its sockets: ${kindsOf(was)}, then ${kindsOf(is)}`)
      context.expect(timers <= MORE_TIMERS, `the ${who} keeps its timers: ${kindsOf(was)}, then ${kindsOf(is)}`)
      context.note(`${who}: ${was.rssMb} MB and ${was.resources} handles, then ${is.rssMb} MB and ${is.resources}`)
      context.step(`${who} had ${kindsOf(was)}, then ${kindsOf(is)}`)
    }
    context.expect(after.channels <= before.channels + MORE_CHANNELS, `channels: ${before.channels}, then ${after.channels}`)
    const dead = await deadLetters(fleet)
    context.expect(dead === 0, `no dead letters (${dead})`)
    context.note(`channels ${before.channels}, then ${after.channels}; ${Object.entries(done).map(([what, times]) => `${what} ${times}`).join(', ')}`)
    return counts
  },
}

/** They come and go with every turn of the event loop. */
const TRANSIENT = new Set(['Timeout', 'Immediate'])
const countOf = ({ kinds }: Usage, isMeant: (kind: string) => boolean): number =>
  Object.entries(kinds).reduce((sum, [kind, count]) => sum + (isMeant(kind) ? count : 0), 0)
const lastingOf = (usage: Usage): number => countOf(usage, (kind) => !TRANSIENT.has(kind))
const timersOf = (usage: Usage): number => countOf(usage, (kind) => kind === 'Timeout')

const kindsOf = ({ kinds }: Usage): string => Object.entries(kinds).map(([kind, count]) => `${kind} ${count}`).join(', ')

interface Victims {
  readonly node: RabbitNode
  readonly proxy: TcpProxy
  readonly victim: WorkerProcess
}

async function fault(context: RowContext, { node, proxy, victim }: Victims): Promise<string> {
  const faults: Readonly<Record<string, () => Promise<void>>> = {
    'broker killed': async () => {
      await node.kill9()
      await node.restart()
    },
    'worker killed': async () => void (await victim.end('SIGKILL')),
    'worker stopped': async () => void (await victim.end('SIGTERM')),
    'worker frozen': async () => {
      victim.freeze()
      await pause(3000)
      victim.thaw()
    },
    'reset': async () => proxy.reset(),
    'black hole': async () => proxy.freeze(),
    'silent': async () => {
      proxy.mode = 'silent'
      proxy.reset()
      await pause(2000)
      proxy.mode = 'pass'
    },
    'cut at a step': async () => {
      proxy.reset()
      proxy.cutAfter = context.random.between(0, 20)
    },
    'connections closed': async () => void (await node.ctl('close_all_connections', 'maintenance')),
  }
  const what = context.random.pick(Object.keys(faults))
  context.step(what)
  await victim.consuming()
  await faults[what]?.()
  return what
}

/** Channels on the server, of all processes. */
async function channelsOf(node: RabbitNode): Promise<number> {
  // the command that lists them asks each one, and waits for those of lost connections
  return Number(await node.eval('length(rabbit_channel:list()).'))
}
