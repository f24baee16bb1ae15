import { around, asyncTask } from 'errand'
import { taskTransaction, transactionPerTask } from 'errand/knex'
import knexOf from 'knex'

export const knex = knexOf({ client: 'pg', connection: process.env['DATABASE_URL'] ?? '', pool: { min: 0, max: 5 } })

around(transactionPerTask(knex, { isolation: 'serializable', tasks: ['LabelService.print'], sendOnCommit: true }))

export class LabelService {
  @asyncTask()
  async print(order: number): Promise<void> {
    await taskTransaction()('labels').insert({ text: `label of order ${order}` })
    await this.file(order) // sent when the label is there
  }

  @asyncTask()
  async file(order: number): Promise<void> {
    await knex('labels').update({ filed: true }).where({ text: `label of order ${order}` })
  }
}
export const labels = new LabelService()
