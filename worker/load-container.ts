import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Config } from '../config/config.js'
import { ErrandError } from '../src/errors.js'
import { setInstanceResolver, type InstanceResolver } from '../src/runtime/instances.js'
import { loadFailure, mainExport } from './load-module.js'
import type { LoadModule } from './module-loader.js'

/**
 * What the module that `container` in the configuration names has to give, as its default export or as `container`: this, or a
 * function that answers it, or a NestJS module class. Of NestJS the only module class among the exports is enough.
 */
export interface Container {
  /** The instance of `owner` on which its tasks run; `undefined` when the container has none. */
  resolve: InstanceResolver
  /** Called once, when the worker stops. */
  close?(): void | Promise<void>
}

/** Opens the configured container, and makes instances come from it. @throws ErrandError `SERVICE_LOAD_FAILED` */
export async function loadContainer(config: Config, load: LoadModule): Promise<Container | undefined> {
  if (config.container === undefined) return undefined
  const url = pathToFileURL(resolve(config.baseDir, config.container)).href
  const container = await open(url, await load(url, 'container'))
  setInstanceResolver((owner) => container.resolve(owner))
  return container
}

async function open(url: string, exports: Readonly<Record<string, unknown>>): Promise<Container> {
  const given = mainExport(exports, 'container')
  try {
    const made: unknown = isClass(given) ? await openNestModule(given) : await callOrTake(given)
    if (isContainer(made)) return made
    const module = await nestModuleAmong(exports)
    if (module !== undefined) return await openNestModule(module)
  } catch (error) {
    throw loadFailure(url, 'container', error)
  }
  throw new ErrandError(
    'SERVICE_LOAD_FAILED',
    `The worker cannot use the container ${decodeURI(url)}: it exports no { resolve(Class) }. ` +
      'Export by default a function that answers { resolve(Class), close() }, or export one NestJS module class.',
  )
}

/** The answer of a function, or what is no function itself. */
async function callOrTake(given: unknown): Promise<unknown> {
  return typeof given === 'function' ? Reflect.apply(given, undefined, []) : given
}

/** Written with `class`, as every module of NestJS is. */
const isClass = (given: unknown): given is new () => object => typeof given === 'function' && /^class\b/.test(Function.prototype.toString.call(given))

/** NestJS applications export their module by its own name. */
async function nestModuleAmong(exports: object): Promise<object | undefined> {
  const { nestModuleOf } = await import('../src/frameworks/nest.js')
  return nestModuleOf(exports)
}

async function openNestModule(module: object): Promise<Container> {
  // loaded here only: without NestJS it is not needed
  const { nestContainer } = await import('../src/frameworks/nest.js')
  return nestContainer(module)
}

function isContainer(made: unknown): made is Container {
  return typeof made === 'object' && made !== null && typeof Reflect.get(made, 'resolve') === 'function'
}
