import { loadConfig } from '#config/load.js'
import { deadLettersOf } from '#src/dead-letters.js'
import { until } from '../../kit/until.js'
import type { Fleet } from '../fleet.js'
import { brokerAt, type Row } from '../row.js'
import { deadLetters } from '../run-row.js'

const POISON = 5
const WORKERS = 3
const CONCURRENCY = 10

export const row: Row = {
  id: 'F10',
  title: `${POISON} tasks that kill their process, among others`,
  isBrief: true,
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node()
    const fleet = context.fleet(brokerAt([node.url]))
    fleet.mayLoseWorkers = true
    await fleet.startWorkers(WORKERS, { worker: { ...fleet.config.worker, concurrency: CONCURRENCY } })
    const server = await fleet.server()

    const innocent = context.size(1000, 10_000)
    const sent = fleet.dispatch(server, { count: innocent, perSecond: context.size(200, 500), how: { ms: 20 } })
    for (let number = 0; number < POISON; number++) {
      await fleet.hasRun(Math.floor((innocent * (number + 1)) / (POISON + 2)))
      context.step(`poison ${number + 1}`)
      await fleet.dispatch(server, { count: 1, prefix: `poison${number}-`, how: { isPoison: true } })
    }
    await sent
    await until('the dead letters', async () => (await deadLetters(fleet)) >= POISON, 120_000)
    await fleet.hasRun(innocent)
    const letters = await idsOfTheDead(fleet)
    const dead = [...new Set(letters)]
    const planted = Array.from({ length: POISON }, (_, number) => `poison${number}-0`)

    context.expect(dead.toSorted().join() === planted.join(), `exactly the poison is dead (${dead.join(', ')})`)
    const counts = fleet.counts()
    const deaths = fleet.workers.reduce((sum, worker) => sum + worker.deaths, 0)
    // a worker that another poison ends between storing a dead letter and acknowledging its message leaves two
    context.expect(letters.length - dead.length <= deaths, `at most ${deaths} letters are there twice (${letters.length - dead.length})`)
    const most = deaths * CONCURRENCY
    context.expect(counts.duplicates <= most, `at most ${most} run twice (${counts.duplicates})`)
    context.note(`${deaths} workers died; the ${POISON} have a dead letter, which is their end`)
    return { ...counts, lost: counts.lost - dead.filter((id) => id.startsWith('poison')).length }
  },
}

/** The first argument of each dead letter is the id of its call. */
async function idsOfTheDead(fleet: Fleet): Promise<readonly string[]> {
  await using letters = await deadLettersOf(await loadConfig({ overrides: fleet.config }))
  const ids: string[] = []
  // one after the other: while somebody looks, others do not see them
  for (const { id } of await letters.list({ limit: 1000 })) {
    const { body } = await letters.get(id)
    ids.push(String(letters.argumentsIn(body)?.[0]))
  }
  return ids
}
