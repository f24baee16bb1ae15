import { around, asyncTask, timedQuery, withTransaction } from 'errand'
import { taskClient, transactionPerTask } from 'errand/pg'
import pg from 'pg'
import { deliver } from '../../postbox.js'

export const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })

around(transactionPerTask(pool, { tasks: ['OrderService.ship'] }))

interface Order {
  readonly id: number
  readonly item: string
}

export class OrderService {
  /** Stores an order and asks for its shipment: both, or neither. */
  async place(item: string): Promise<Order> {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      const { rows } = await client.query<Order>('INSERT INTO orders (item) VALUES ($1) RETURNING id, item', [item])
      const order = rows[0] ?? fail('no row came back')
      await withTransaction(client, () => this.ship(order.id))
      await client.query('UPDATE stock SET count = count - 1 WHERE item = $1', [item]) // refused below 0
      await client.query('COMMIT')
      return order
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    } finally {
      client.release()
    }
  }

  /** Runs in a transaction of its own: a run that fails half way leaves nothing behind. */
  @asyncTask({ retries: 1, backoff: '10ms' })
  async ship(id: number): Promise<void> {
    const client = taskClient()
    await client.query('UPDATE orders SET parcels = parcels + 1 WHERE id = $1', [id])
    const { rows } = await client.query<Order>('SELECT id, item FROM orders WHERE id = $1', [id])
    await deliver('dispatch', `parcel for order ${id}: ${rows[0]?.item}`)
    if (++tries === 1) throw new Error('the printer is out of paper')
  }

  /** Was called before its order was stored, so it waits until the order is there. */
  @asyncTask()
  async thank(id: number): Promise<void> {
    const order = await timedQuery(() => findOrder(id), { interval: '500ms' })
    if (order === undefined) throw new Error(`there is no order ${id}`)
    await deliver('customer', `thank you for order ${id}: ${order.item}`)
  }
}
export const orders = new OrderService()

async function findOrder(id: number): Promise<Order | undefined> {
  const { rows } = await pool.query<Order>('SELECT id, item FROM orders WHERE id = $1', [id])
  return rows[0]
}

let tries = 0

function fail(why: string): never {
  throw new Error(why)
}
