import { fileURLToPath } from 'node:url'
import { start, type ConfigInput } from 'errand'
import { silentLogger } from '#src/core/logger.js'
import { writeFileSync } from 'node:fs'
import { startProgram } from '../kit/process.js'
import { Scope } from '../kit/temporary.js'
import { HttpClient, type Answer, type Sent } from './http-client.js'

const OWN_WORKER = new URL('../fixtures/worker-app/own-worker.js', import.meta.url)
const TASKS = fileURLToPath(new URL('../fixtures/reports/tasks.js', import.meta.url))

/** The queue, and one worker in a process of its own, that the applications of all frameworks share. */
export class ReportsApp {
  readonly #scope = new Scope()

  async open(): Promise<void> {
    const settings: ConfigInput = {
      withAsync: true,
      service: 'reports',
      environment: 'test',
      dataDir: this.#scope.file('data'),
      services: TASKS,
      worker: { spawn: false, concurrency: 64, grace: '1s' },
    }
    // the server knows the same tasks as its worker
    await import(TASKS)
    const running = await start({ ...settings, logger: silentLogger })
    this.#scope.defer(() => running.stop())
    const options = { args: [JSON.stringify(settings)], env: { REPORTS_FOLDER: this.#scope.folder() } }
    await startProgram(this.#scope, OWN_WORKER, options).line(/^consuming/)
  }

  /** Lets the tasks go on that wait for it. */
  openGate(gate: string): void {
    writeFileSync(this.#scope.file(gate), '')
  }

  close(): Promise<void> {
    return this.#scope.close()
  }
}

/** What a person does with a browser or with curl, in one framework. */
export class Person {
  readonly #client: HttpClient
  readonly #name: string | undefined

  /** @param name how the person is signed in; not at all without it */
  constructor(port: number, name?: string) {
    this.#client = new HttpClient(port)
    this.#name = name
  }

  ask(path: string, sent: Sent = {}): Promise<Answer> {
    return this.#client.send(path, this.#signed(sent))
  }

  json(path: string, sent: Sent = {}): Promise<Readonly<Record<string, unknown>>> {
    return this.#client.json(path, this.#signed({ ...sent, headers: { accept: 'application/json', ...sent.headers } }))
  }

  submit(path: string, form: Readonly<Record<string, string>>): Promise<Answer> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' }
    return this.ask(path, { method: 'POST', headers, body: new URLSearchParams(form).toString() })
  }

  /** Places an order. */
  async order(context: object, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.ask('/async/report/order', { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ context }) })
  }

  /** The text of an event stream as far as `pattern`; hangs up then. */
  async eventsUntil(path: string, pattern: RegExp): Promise<string> {
    const response = await this.#client.open(path, this.#signed({ headers: { accept: 'text/event-stream' } }))
    let text = ''
    for await (const chunk of response) {
      text += String(chunk)
      if (pattern.test(text)) return text
    }
    throw new Error(`The events ended without ${pattern}: ${text}`)
  }

  #signed(sent: Sent): Sent {
    return { ...sent, headers: { ...(this.#name === undefined ? {} : { 'x-test-user': this.#name }), ...sent.headers } }
  }
}

