import type { TaskOptions } from '../core/task-options.js'

/** Options of a task that has no value: its body answers `Promise<void>`. */
export type VoidTaskOptions = TaskOptions & { readonly result?: false | undefined }
/** Options of a task with a value that callers get. */
export type ResultTaskOptions = TaskOptions & { readonly result: true }

/** A function has a `name`, so without these two it would pass as options. */
type OptionsOnly = { readonly apply?: never; readonly call?: never }

type Method<This, A extends unknown[], R> = (this: This, ...args: A) => Promise<R>

/** Decorates a method that answers `Promise<void>`. For one with a value use `@asyncTask({ result: true })`. */
export interface VoidTaskDecorator {
  <This, A extends unknown[]>(
    method: Method<This, A, void>,
    context: ClassMethodDecoratorContext<This, Method<This, A, void>>,
  ): Method<This, A, void>
  // oxlint-disable-next-line no-explicit-any -- the constraint must admit methods with any parameters
  <T extends (...args: any[]) => Promise<void>>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<T>): void
}

/** Decorates a method that answers `Promise<T>`; a plain call resolves with the value after the worker ran it. */
export interface ResultTaskDecorator {
  <This, A extends unknown[], R>(
    method: Method<This, A, R>,
    context: ClassMethodDecoratorContext<This, Method<This, A, R>>,
  ): Method<This, A, R>
  // oxlint-disable-next-line no-explicit-any -- as above
  <T extends (...args: any[]) => Promise<unknown>>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<T>): void
}

/** The type of `asyncTask`: a decorator, a factory of decorators, and a wrapper of plain functions. */
export interface AsyncTask extends VoidTaskDecorator {
  /** `@asyncTask()` and `@asyncTask({ … })` */
  (options?: VoidTaskOptions & OptionsOnly): VoidTaskDecorator
  /** `@asyncTask({ result: true })` */
  (options: ResultTaskOptions & OptionsOnly): ResultTaskDecorator
  /** `asyncTask(fn)`: a function that is sent to the worker when it is called. */
  <A extends unknown[]>(fn: (...args: A) => Promise<void>, options?: VoidTaskOptions): (...args: A) => Promise<void>
  /** `asyncTask(fn, { result: true })` */
  <A extends unknown[], R>(fn: (...args: A) => Promise<R>, options: ResultTaskOptions): (...args: A) => Promise<R>
}
