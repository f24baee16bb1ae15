import { registry } from '../core/registry.js'
import { noteInstance } from './instances.js'

/**
 * Finds the tasks and the instances among the exports of a loaded module, also one level inside exported plain objects and lists.
 * @throws ErrandError `TASK_DUPLICATE`, `DECORATOR_MISUSED`
 */
export function adoptExports(module: string, exports: object): void {
  for (const [name, value] of Object.entries(exports)) adopt(value, `${shortName(module)} "${name}"`)
  registry.adoptParameterTypes()
}

function adopt(value: unknown, where: string): void {
  const tasks = registry.adopt(value)
  if (typeof value !== 'object' || value === null) return
  if (tasks.length > 0) return noteInstance(value, where)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return
  for (const [name, inner] of Object.entries(value)) {
    if (registry.adopt(inner).length > 0 && typeof inner === 'object' && inner !== null) noteInstance(inner, `${where}.${name}`)
  }
}

const shortName = (module: string): string => module.split('/').slice(-2).join('/')
