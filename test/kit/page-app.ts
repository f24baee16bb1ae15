import { appendFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { start, type ConfigInput, type Running } from 'errand'
import { waitingPageHandler, type Standing, type WaitingPageView } from 'errand/page'
import { silentLogger } from '#src/core/logger.js'
import { serve, type Served } from './http-server.js'
import { startProgram, type Program } from './process.js'
import type { Scope } from './temporary.js'
import { until } from './until.js'

const TASKS = fileURLToPath(new URL('../fixtures/page/tasks.js', import.meta.url))
const OWN_WORKER = new URL('../fixtures/worker-app/own-worker.js', import.meta.url)

export interface AskOptions {
  readonly method?: string
  readonly user?: string
  readonly cookie?: string
  readonly accept?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: RequestInit['body']
}

/** A server with waiting pages, which is the test, and workers that are processes of their own. */
export class PageApp {
  readonly #scope: Scope
  readonly #base: ConfigInput
  #served: Served | undefined

  constructor(scope: Scope, base: ConfigInput = {}) {
    this.#scope = scope
    this.#base = base
  }

  get origin(): string {
    if (this.#served === undefined) throw new Error('Nothing is served yet')
    return this.#served.origin
  }

  get served(): Served {
    if (this.#served === undefined) throw new Error('Nothing is served yet')
    return this.#served
  }

  /** Starts the server with these views, without a worker. */
  async start(views: Readonly<Record<string, WaitingPageView>>, port = 0): Promise<Running> {
    const running = await this.startWithoutServer()
    await this.serve(views, port)
    return running
  }

  async startWithoutServer(): Promise<Running> {
    const running = await start({ ...this.#settings(), logger: silentLogger })
    this.#scope.defer(() => running.stop())
    return running
  }

  async serve(views: Readonly<Record<string, WaitingPageView>>, port = 0): Promise<void> {
    const handlers = Object.entries(views).map(([mount, view]) => [mount, waitingPageHandler(view)] as const)
    this.#served = await serve(this.#scope, Object.fromEntries(handlers), port)
  }

  async worker(): Promise<Program> {
    const options = { args: [JSON.stringify(this.#settings())], env: { PAGE_FOLDER: this.#scope.folder() } }
    const worker = startProgram(this.#scope, OWN_WORKER, options)
    await worker.line(/^consuming/)
    return worker
  }

  /** Lets tasks go on that wait for it. */
  open(gate: string): void {
    appendFileSync(this.#scope.file(gate), '')
  }

  ask(path: string, { method = 'GET', user, cookie, accept, headers = {}, body }: AskOptions = {}): Promise<Response> {
    const own = { ...(user === undefined ? {} : { 'x-user': user }), ...(cookie === undefined ? {} : { cookie }), ...(accept === undefined ? {} : { accept }) }
    return fetch(this.origin + path, { method, headers: { ...own, ...headers }, redirect: 'manual', ...(body === undefined ? {} : { body }) })
  }

  /** Starts by JSON, and answers the id of the process. */
  async begin(view: string, options: AskOptions & { readonly form?: Readonly<Record<string, string>> } = {}): Promise<string> {
    const { form, ...rest } = options
    const response = await this.ask(view, { method: 'POST', accept: 'application/json', user: 'ada', body: new URLSearchParams(form), ...rest })
    if (response.status !== 202) throw new Error(`Not started: ${response.status} ${await response.text()}`)
    // the documented form of the answer
    return ((await response.json()) as { readonly process_id: string }).process_id
  }

  async standing(view: string, id: string, options: AskOptions = {}): Promise<Standing> {
    const response = await this.ask(`${view}/completed?process_id=${id}&output_json=1`, { user: 'ada', ...options })
    // as documented
    return (await response.json()) as Standing
  }

  /** How a process stands, once `condition` holds. */
  async stands(view: string, id: string, condition: (standing: Standing) => boolean): Promise<Standing> {
    return until(`${id} stands as wanted`, async () => {
      const standing = await this.standing(view, id)
      return condition(standing) && standing
    })
  }

  async ended(view: string, id: string): Promise<Standing> {
    return this.stands(view, id, ({ completed }) => completed !== false)
  }

  #settings(): ConfigInput {
    return {
      withAsync: true,
      service: 'pages',
      environment: 'test',
      dataDir: this.#scope.file('data'),
      services: TASKS,
      ...this.#base,
      worker: { spawn: false, concurrency: 4, grace: '1s', ...this.#base.worker },
    }
  }
}
