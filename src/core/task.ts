import { ErrandError } from '../errors.js'
import { isReservedName, RESERVED_NAMES } from './reserved-name.js'
import type { ResolvedTaskOptions } from './task-options.js'

/** A class, as `this.constructor` gives it. */
export type Class = abstract new (...args: never[]) => object

/** The undecorated body of a task. */
export type TaskBody = (this: unknown, ...args: unknown[]) => unknown

/** What one use of `@asyncTask` or `asyncTask(fn)` declared, before it is known which class it belongs to. */
export interface TaskDeclaration {
  readonly kind: 'method' | 'static' | 'function'
  /** Name of the method or function. */
  readonly member: string
  readonly options: ResolvedTaskOptions
  readonly body: TaskBody
  /** URL of the module it stands in, as far as the stack told. */
  readonly module: string | undefined
  /** Types of the parameters, by metadata or `params`; read late, since classes may be declared after their use. */
  readonly readParameterTypes: () => readonly unknown[]
}

/** A declared task of a class (or a plain function): what a message names and a worker runs. */
export interface Task {
  /** The stable name in messages. */
  readonly name: string
  readonly declaration: TaskDeclaration
  /** The class whose instance (or which itself, when static) is `this`; `undefined` for a plain function. */
  readonly owner: Class | undefined
}

/** The name of `declaration` as a task of `owner`. @throws ErrandError `DECORATOR_MISUSED` where there is none */
export function taskName(declaration: TaskDeclaration, owner: Class | undefined): string {
  if (declaration.options.name !== undefined) return declaration.options.name
  const parts = owner === undefined ? [declaration.member] : [owner.name, declaration.member]
  if (parts.every((part) => part !== '')) return unreserved(parts.join('.'))
  throw new ErrandError(
    'DECORATOR_MISUSED',
    `The task "${declaration.member || 'of an anonymous function'}" has no stable name, because its ${owner === undefined ? 'function' : 'class'} is anonymous. ` +
      `Name it with asyncTask's option { name: 'Mail.send' }.`,
  )
}

function unreserved(name: string): string {
  if (!isReservedName(name)) return name
  throw new ErrandError('DECORATOR_MISUSED', `The task "${name}" cannot have a name that begins with "${RESERVED_NAMES}", as those of this library do. Give it another with { name: '…' }.`)
}
