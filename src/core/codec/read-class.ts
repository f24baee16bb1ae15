import { assertNever } from '../../errors.js'
import { planOf } from './class-plan.js'
import type { AnyClass } from './class-source.js'
import { fromFields } from './class-transformer.js'
import { entriesOfName, headsOf } from './classes.js'
import type { ClassEntry } from './classes.js'
import { readErrorAs } from './read-built-in.js'
import { malformed, shown, textOf, unreadable } from './reader.js'
import type { Reader, TagNode, TagReader } from './reader.js'
import { putField } from './wire.js'

/** Makes an instance of a class of the registry; the name in the message only chooses among those. */
export const readClass: TagReader = (reader, node, keep) => {
  const entry = entryNamed(textOf(node, 'n'))
  const plan = planOf(entry)
  switch (plan.kind) {
    case 'codec':
      return keep(made(entry, plan.codec.decode, reader.part(node['v'])))
    case 'transformer':
      return keep(made(entry, (fields) => fromFields(entry.Class, fields), reader.fields(node['v'])))
    case 'error':
      return readErrorAs(entry.Class.prototype, reader, errorTag(node['v']), keep)
    case 'fields':
      return readFields(entry.Class, reader, node, keep)
    case 'unfit':
      return malformed(`a "class" tag of ${shown(entry.name)}, which cannot travel by its fields`)
    default:
      return assertNever(plan)
  }
}

function entryNamed(name: string): ClassEntry {
  const [entry, ...rivals] = entriesOfName(name)
  if (entry === undefined) {
    const advice = 'Import the module that defines it, and add it to params of the task or call register() for it.'
    return unreadable(`the class ${shown(name)} is not registered in this process`, advice)
  }
  if (rivals.length > 0) {
    const problem = `two different classes are called ${shown(name)}: ${headsOf([entry, ...rivals])}`
    return unreadable(problem, `Give one a name of its own: register(${name}, { name: 'billing.${name}' }).`)
  }
  return entry
}

/** What code of the application makes of the data it wrote. */
function made<Data>({ name }: ClassEntry, make: (data: Data) => unknown, data: Data): unknown {
  try {
    return make(data)
  } catch (error) {
    return unreadable(`no instance of ${name} can be made from what was sent`, `Look at the cause, which ${name} threw.`, error)
  }
}

function errorTag(node: unknown): TagNode {
  const isTag = typeof node === 'object' && node !== null && Object.hasOwn(node, '$') && Reflect.get(node, '$') === 'error'
  // it was just found to be an object
  return isTag ? (node as TagNode) : malformed('a "class" tag of an error class without an error')
}

/** No constructor runs and no setter: the instance gets exactly the fields that were sent. */
function readFields(Class: AnyClass, reader: Reader, node: TagNode, keep: <T>(value: T) => T): object {
  // an object without fields whose prototype is that of the class
  const instance = keep(Object.create(Class.prototype) as object)
  for (const [key, value] of Object.entries(reader.fields(node['v']))) putField(instance, key, value)
  return instance
}
