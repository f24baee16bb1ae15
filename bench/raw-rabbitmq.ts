import { connect, type ConfirmChannel, type ConsumeMessage } from 'amqplib'

/** Hand-tuned: what is left to gain is in the client library and the server. */
const CHUNK = 250
const ACK_EVERY = 64

const ARGUMENTS = { 'x-queue-type': 'quorum' }

export interface RawPublisher {
  run(count: number): Promise<void>
  close(): Promise<void>
}

export async function rawPublisher(url: string, queue: string, inFlight: number, body: Buffer): Promise<RawPublisher> {
  const connection = await connect(url, { noDelay: true })
  const channel = await connection.createConfirmChannel()
  await channel.assertQueue(queue, { durable: true, arguments: ARGUMENTS })
  return { run: (count) => publishAll(channel, { queue, count, inFlight, body }), close: () => connection.close() }
}

interface Work {
  readonly queue: string
  readonly count: number
  readonly inFlight: number
  readonly body: Buffer
}

function publishAll(channel: ConfirmChannel, { queue, count, inFlight, body }: Work): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0
    let confirmed = 0
    let isScheduled = false
    const onConfirm = (error: unknown): void => {
      if (error !== null) return reject(error)
      confirmed += 1
      if (confirmed === count) resolve()
      else schedule()
    }
    const fill = (): void => {
      isScheduled = false
      for (let left = CHUNK; left > 0 && sent < count && sent - confirmed < inFlight; left--) {
        sent += 1
        channel.publish('', queue, body, { persistent: true, messageId: `raw-${sent}-0123456789abcdef0123456789` }, onConfirm)
      }
    }
    const schedule = (): void => {
      if (isScheduled || sent === count) return
      isScheduled = true
      setImmediate(fill)
    }
    schedule()
  })
}

/** Consumes `count` messages; the handler is an async function that does nothing. */
export async function rawConsume(url: string, queue: string, given: { count: number; prefetch: number; ready(): void }): Promise<void> {
  const connection = await connect(url, { noDelay: true })
  const channel = await connection.createChannel()
  await channel.assertQueue(queue, { durable: true, arguments: ARGUMENTS })
  await channel.prefetch(given.prefetch)
  await new Promise<void>((resolve) => {
    let done = 0
    let unacknowledged = 0
    let last: ConsumeMessage | undefined
    const flush = (): void => {
      if (last !== undefined) channel.ack(last, true)
      last = undefined
      unacknowledged = 0
    }
    const run = async (): Promise<void> => {}
    const onMessage = async (message: ConsumeMessage | null): Promise<void> => {
      await run()
      if (message === null) return
      if (last === undefined) setImmediate(flush)
      last = message
      unacknowledged += 1
      done += 1
      if (unacknowledged >= ACK_EVERY) flush()
      if (done === given.count) {
        flush()
        resolve()
      }
    }
    void channel.consume(queue, (message) => void onMessage(message)).then(() => given.ready())
  })
  await connection.close()
}
