import { newId } from '#src/core/clock.js'
import type { Broker, Delivery, OutgoingMessage } from '#src/broker/broker.js'
import { ErrandError } from '#src/errors.js'
import { countUp, type Call, type Counts, type Run } from './counts.js'

/** What was published and what was handed out, for rows that use the driver inside this process. */
export class Ledger {
  readonly #calls: Call[] = []
  readonly #runs: Run[] = []

  /** Publishes to `mail` and answers the code of the refusal, or nothing. */
  async publish(broker: Broker, more: Partial<OutgoingMessage> = {}): Promise<string | undefined> {
    const message = { id: newId(), queue: 'mail', body: Buffer.from('body'), ...more }
    const settled = (kind: Call['kind'], detail = ''): void => void this.#calls.push({ kind, id: message.id, detail, atMs: Date.now() })
    settled('called')
    try {
      await broker.publish(message)
      settled('stored')
      return undefined
    } catch (error) {
      const code = error instanceof ErrandError ? error.code : 'UNTYPED'
      settled('refused', code)
      return code
    }
  }

  /** A delivery came to its end here. */
  ran({ id, attempt }: Delivery): void {
    this.#runs.push({ kind: 'ended', id, attempt, pid: process.pid, atMs: Date.now() })
  }

  /** Is done with every delivery of a queue at once. */
  async consume(broker: Broker, queue = 'mail', concurrency = 10): Promise<void> {
    await broker.consume(queue, { concurrency }, async (delivery) => {
      this.ran(delivery)
      return { kind: 'done' }
    })
  }

  /** Publishes again and again, with a pause of so many milliseconds, until the answer is called or the broker is closed. */
  load(broker: Broker, pauseMs: number, more: Partial<OutgoingMessage> = {}): () => Promise<void> {
    let isOver = false
    const going = (async () => {
      while (!isOver) {
        if ((await this.publish(broker, more)) === 'BROKER_CLOSED') return
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
      }
    })()
    return () => {
      isOver = true
      return going
    }
  }

  calls(): readonly Call[] {
    return this.#calls
  }

  runs(): readonly Run[] {
    return this.#runs
  }

  counts(): Counts {
    return countUp(this.#calls, this.#runs)
  }

  /** Whether everything that was confirmed has run. */
  get isComplete(): boolean {
    return this.counts().lost === 0
  }
}
