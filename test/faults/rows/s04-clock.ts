import { RabbitCase } from '../../kit/rabbit-case.js'
import { setClocksUnder } from '../clocks.js'
import type { Row } from '../row.js'

export const row: Row = {
  id: 'S4',
  title: 'the clocks of the publisher and of the consumer are set by hours, inside one process',
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node()
    const c = new RabbitCase(context.scope, node.url)
    return setClocksUnder(context, (clock) => c.open({ clock }))
  },
}
