import type { Fleet } from './fleet.js'
import { brokerAt, pause, seconds, type Row } from './row.js'

/** A delay of up to 15 s in steps of 100 ms has so many binary digits. */
const LEVELS = 8
const LONGEST_DELAY_MS = 15_000

export interface DelayRowOptions {
  readonly id: string
  readonly title: string
  readonly advanced?: string
  /** How long the broker may stand still at each level after a crash. */
  readonly stallMs: number
  readonly isOnlyLong?: boolean
}

/** Calls with delays of 1 to 15 s, while the broker is killed: none early, none lost. */
export function delayRow({ id, title, advanced, stallMs, isOnlyLong = false }: DelayRowOptions): Row {
  return {
    id,
    title,
    needs: 'rabbitmq',
    isOnlyLong,
    async run(context) {
      const node = await context.node(advanced)
      const fleet = context.fleet(brokerAt([node.url]))
      await fleet.startWorkers(1)
      const server = await fleet.server()
      // declares every level that will be used
      await fleet.dispatch(server, { count: 1, delaysMs: [LONGEST_DELAY_MS] })
      await fleet.settled()

      const delaysMs = Array.from({ length: 97 }, () => context.random.between(10, LONGEST_DELAY_MS / 100) * 100)
      await fleet.dispatch(server, { count: context.size(600, 3000), delaysMs })
      const kills = context.size(2, 3)
      for (let kill = 1; kill <= kills; kill++) {
        await pause(context.random.between(1000, 3000))
        context.step(`kill -9 of the broker, ${kill}`)
        await node.kill9()
        await node.restart()
      }
      const counts = await fleet.drained(Math.max(60_000, 2 * stallMs))

      const late = latenesses(fleet).sort((one, other) => one - other)
      const earliest = late[0] ?? 0
      context.expect(earliest >= 0, `none begins early (${earliest} ms)`)
      const mostMs = LEVELS * stallMs + 30_000
      context.expect((late.at(-1) ?? 0) <= mostMs, `none is later than ${mostMs} ms`)
      context.note(`late: half ${seconds(late[Math.floor(late.length / 2)] ?? 0)}, all ${seconds(late.at(-1) ?? 0)}`)
      return counts
    },
  }
}

/** For every call with a delay: how long after its time it first began. */
function latenesses(fleet: Fleet): number[] {
  const began = new Map<string, number>()
  for (const { kind, id, atMs } of fleet.runs()) if (kind === 'began' && !began.has(id)) began.set(id, atMs)
  return fleet.calls().flatMap(({ kind, id, detail, atMs }) => {
    const first = began.get(id)
    return kind === 'delayed' && first !== undefined ? [first - (atMs + Number(detail))] : []
  })
}
