import type { Logger } from '../src/core/logger.js'
import { withholdCalls } from '../src/runtime/app.js'
import { adoptExports } from '../src/runtime/adopt-exports.js'
import { noteInstance } from '../src/runtime/instances.js'
import type { TaskCall } from '../src/runtime/task-call.js'
import { loadModule, type ModuleRole } from './load-module.js'

type Exports = Readonly<Record<string, unknown>>

/** Imports a module by URL. @throws ErrandError `SERVICE_LOAD_FAILED` */
export type LoadModule = (url: string, role: ModuleRole) => Promise<Exports>

/** For the rest of a module that called a task without awaiting it. */
const REST_MS = 250

/**
 * Imports modules that may be the program of the server: what they call at their top level was sent by the server and is not sent
 * again. Such a call never settles, so the module that awaits it counts as loaded, with the tasks that it had declared by then.
 */
export class ModuleLoader {
  readonly #log: Logger
  readonly #told = new Set<string>()
  #loading = 0
  #onCall: () => void = () => {}

  constructor(log: Logger) {
    this.#log = log
  }

  async load(url: string, role: ModuleRole): Promise<Exports> {
    this.#loading++
    withholdCalls((call) => this.#withhold(call))
    const module = loadModule(url, role).finally(() => this.#settled())
    let timer: NodeJS.Timeout | undefined
    const held = new Promise<undefined>((resolve) => {
      this.#onCall = () => {
        clearTimeout(timer)
        timer = setTimeout(() => resolve(undefined), REST_MS)
      }
    })
    const exports = await Promise.race([module, held])
    clearTimeout(timer)
    if (exports === undefined) void this.#finishLate(url, module) // never rejects
    return exports ?? {}
  }

  #settled(): void {
    this.#loading--
    // one that never ends keeps calls back for good: they are those of its server
    if (this.#loading === 0) withholdCalls(undefined)
  }

  async #finishLate(url: string, module: Promise<Exports>): Promise<void> {
    try {
      adoptExports(url, await module)
    } catch (error) {
      this.#log.error(error instanceof Error ? error.message : `The module ${url} threw a value that is no error.`)
    }
  }

  #withhold({ task, self }: TaskCall): void {
    // its module may never get as far as to export it
    if (task.declaration.kind === 'method' && typeof self === 'object' && self !== null) noteInstance(self, `the caller of ${task.name}`)
    this.#onCall()
    if (this.#told.has(task.name)) return
    this.#told.add(task.name)
    this.#log.warn(`${task.name} is called while the worker loads its module; it is not sent from here. Keep tasks in modules of their own.`)
  }
}
