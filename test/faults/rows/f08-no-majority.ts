import { brokerAt, pause, type Row } from '../row.js'

export const row: Row = {
  id: 'F8',
  title: 'two of three nodes are killed, and come back',
  needs: 'cluster',
  async run(context) {
    const cluster = await context.cluster()
    const fleet = context.fleet(brokerAt(cluster.urls))
    await fleet.startWorkers(2)
    const server = await fleet.server()
    await fleet.dispatch(server, { count: 1 })
    await fleet.settled()
    await cluster.whole()

    const load = fleet.load(server, { perSecond: context.size(300, 1000) })
    await pause(2000)
    const survivor = context.random.pick(cluster.nodes)
    const victims = cluster.nodes.filter((node) => node !== survivor)
    context.step(`kill -9 of all but ${survivor.name}`)
    await Promise.all(victims.map((node) => node.kill9()))
    await pause(context.size(8000, 30_000))
    const confirmedAlone = fleet.calls().filter(({ kind }) => kind === 'stored').length
    context.step('they are started again')
    await Promise.all(victims.map((node) => node.restart()))
    await cluster.whole()
    await pause(2000)
    await load.stop()
    const counts = await fleet.drained()

    context.expect(counts.confirmed > confirmedAlone, 'calls are confirmed again')
    const codes = new Set(fleet.calls().flatMap(({ kind, detail }) => (kind === 'refused' ? [detail] : [])))
    if (codes.size > 0) context.note(`refused with ${[...codes].join(', ')}`)
    return counts
  },
}
