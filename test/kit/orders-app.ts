import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { start, type ConfigInput } from 'errand'
import { ordersHandler, type OrdersOptions } from 'errand/orders'
import { silentLogger } from '#src/core/logger.js'
import { forgetHandlers } from '#src/orders/handlers.js'
import { registerNotes } from '../fixtures/orders/tasks.js'
import { serve, type Served } from './http-server.js'
import { membersOf } from './orders-client.js'
import { startProgram, type Program } from './process.js'
import type { Scope } from './temporary.js'
import { until } from './until.js'

const TASKS = fileURLToPath(new URL('../fixtures/orders/tasks.js', import.meta.url))
const SERVER = new URL('../fixtures/orders/server.js', import.meta.url)
const OWN_WORKER = new URL('../fixtures/worker-app/own-worker.js', import.meta.url)

export interface Sent {
  readonly method?: string
  readonly as?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A server that takes orders over HTTP, which is the test, and workers that are processes of their own. */
export class OrdersApp {
  readonly #scope: Scope
  readonly #base: ConfigInput
  #served: Served | undefined

  constructor(scope: Scope, base: ConfigInput = {}) {
    this.#scope = scope
    this.#base = base
  }

  async start(options: OrdersOptions = {}): Promise<void> {
    forgetHandlers()
    registerNotes()
    const running = await start({ ...this.#settings(), logger: silentLogger })
    this.#scope.defer(() => running.stop())
    this.#served = await serve(this.#scope, { '/async': ordersHandler(options) })
  }

  async worker(): Promise<Program> {
    const worker = startProgram(this.#scope, OWN_WORKER, { args: [JSON.stringify(this.#settings())] })
    await worker.line(/^consuming/)
    return worker
  }

  /** Places an order for the task that waits, at a server of its own, which is killed as soon as it has answered. */
  async placeAndKill(): Promise<Response> {
    const server = startProgram(this.#scope, SERVER, { args: [JSON.stringify(this.#settings())] })
    const [, port] = (await server.line(/^listening/)).split(' ')
    const answer = await this.placeHeld({}, `http://127.0.0.1:${port}`)
    server.kill('SIGKILL')
    await server.exited
    return answer
  }

  ask(path: string, { method = 'GET', as = 'ada', headers = {} }: Sent = {}, json?: unknown, origin = this.#served?.origin ?? ''): Promise<Response> {
    const typed = json === undefined ? {} : { 'content-type': 'application/json' }
    const body = json === undefined ? {} : { body: JSON.stringify(json) }
    return fetch(`${origin}${path}`, { method, redirect: 'manual', headers: { 'x-user': as, ...typed, ...headers }, ...body })
  }

  /** Places an order for the task that waits for its gate. */
  placeHeld(sent: Sent = {}, origin?: string): Promise<Response> {
    const context = { file: this.#scope.file('notes'), gate: this.#scope.file('gate') }
    return this.ask('/async/held/order', { method: 'POST', ...sent }, { context }, origin)
  }

  /** The members of an order once they are so. */
  reached(place: string, wanted: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
    return until(`${place} ${JSON.stringify(wanted)}`, async () => {
      const members = await membersOf(await this.ask(place))
      return Object.entries(wanted).every(([name, value]) => members[name] === value) && members
    })
  }

  /** Lets the task end. */
  open(more = ''): void {
    appendFileSync(this.#scope.file(`gate${more}`), '')
  }

  notes(): readonly string[] {
    const file = this.#scope.file('notes')
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
  }

  /** The first note of that kind, once it is there. */
  noted(pattern: RegExp): Promise<string> {
    return until(`a note ${pattern}`, () => this.notes().find((note) => pattern.test(note)))
  }

  #settings(): ConfigInput {
    return {
      withAsync: true,
      service: 'ordered',
      environment: 'test',
      dataDir: this.#scope.file('data'),
      services: TASKS,
      ...this.#base,
      worker: { spawn: false, concurrency: 4, grace: '1s' },
    }
  }
}
