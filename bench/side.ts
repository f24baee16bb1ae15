import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Answer, Costs, Order, Question, Ran, Sent, Settled, Times, Usage } from './processes/orders.js'
import type { Place, System } from './system.js'

const MAIN = new URL('./processes/side-main.js', import.meta.url)
const CLOSE_TIMEOUT_MS = 10_000

/** A process that is the caller or the worker of a system. */
export class Side {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }>()
  #asked = 0

  /** @param node the program of Node that runs it */
  constructor(folder: string, node: string) {
    // the folder has no configuration file, which a search from here upwards would find
    this.#child = fork(MAIN, { execPath: node, cwd: folder, serialization: 'advanced', env: { ...process.env, NODE_ENV: 'production' } })
    // side-main.ts sends nothing else
    this.#child.on('message', (answer: Answer) => this.#take(answer))
    this.#child.once('exit', (code, signal) => this.#refuseAll(`its process ended with ${code ?? signal}`))
  }

  open(side: 'caller' | 'worker', system: System, place: Place): Promise<unknown> {
    return this.#ask({ do: 'open', side, system: system.name, place })
  }

  // what each answers is said beside its order, and side-main.ts answers so
  dispatch = (count: number, inFlight: number): Promise<Sent> => this.#ask({ do: 'dispatch', count, inFlight }) as Promise<Sent>
  oneAtATime = (count: number): Promise<Times> => this.#ask({ do: 'one at a time', count }) as Promise<Times>
  results = (count: number, inFlight: number): Promise<Times | undefined> => this.#ask({ do: 'results', count, inFlight }) as Promise<Times | undefined>
  expect = (count: number, skip = 0): Promise<Ran> => this.#ask({ do: 'expect', count, skip }) as Promise<Ran>
  settle = (count: number): Promise<Settled> => this.#ask({ do: 'settle', count }) as Promise<Settled>
  parts = (system: System, place: Place): Promise<Costs | undefined> =>
    this.#ask({ do: 'parts', system: system.name, place }) as Promise<Costs | undefined>
  usage = (): Promise<Usage> => this.#ask({ do: 'usage' }) as Promise<Usage>

  /** Closes what it opened, then ends the process; by force where that takes long. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    const force = setTimeout(() => this.#child.kill('SIGKILL'), CLOSE_TIMEOUT_MS)
    await this.#ask({ do: 'close' }).catch(() => {})
    if (this.#child.connected) this.#child.disconnect()
    await gone
    clearTimeout(force)
  }

  /** Ends the process at once, and with it everything that is still asked of it. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #ask(order: Order): Promise<unknown> {
    const question: Question = { number: ++this.#asked, order }
    return new Promise((resolve, reject) => {
      this.#waiting.set(question.number, { resolve, reject })
      this.#child.send(question, (error) => {
        if (error !== null) reject(error)
      })
    })
  }

  #take({ number, value, error }: Answer): void {
    const waiting = this.#waiting.get(number)
    this.#waiting.delete(number)
    if (error === undefined) waiting?.resolve(value)
    else waiting?.reject(new Error(error))
  }

  #refuseAll(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(why))
    this.#waiting.clear()
  }
}
