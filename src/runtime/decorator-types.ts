import type { TaskOptions } from '../core/task-options.js'

/** Options of a task that has no value: its body answers `Promise<void>`. */
export type VoidTaskOptions = TaskOptions & { readonly result?: false | undefined }
/** Options of a task with a value that callers get. */
export type ResultTaskOptions = TaskOptions & { readonly result: true }

/** Options whose `limitBy` takes the arguments of the function. */
type LimitedBy<O extends TaskOptions, A extends unknown[]> = Omit<O, 'limitBy'> & { readonly limitBy?: ((...args: A) => string) | undefined }

/** A function has a `name`, so without these two it would pass as options. */
type OptionsOnly = { readonly apply?: never; readonly call?: never }

// oxlint-disable-next-line no-explicit-any -- the constraint must admit methods with any parameters
type Method<This, R> = (this: This, ...args: any[]) => R

/** The method itself where its call loses nothing; otherwise the sentence that the compiler shows. */
type WithoutValue<T extends Method<never, unknown>> =
  ReturnType<T> extends Promise<void>
    ? T
    : ReturnType<T> extends Promise<unknown>
      ? 'A task with a value needs @asyncTask({ result: true })'
      : 'A task answers a promise: make the method async'

/** Decorates a method that answers `Promise<void>`. For one with a value use `@asyncTask({ result: true })`. */
export interface VoidTaskDecorator {
  // the type of the method is taken whole: rebuilt from its parts, a generic method would not be the same any more
  <This, T extends Method<This, unknown>>(method: WithoutValue<T>, context: ClassMethodDecoratorContext<This, T>): T | void
  <T extends Method<never, unknown>>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<T> & TypedPropertyDescriptor<WithoutValue<T>>,
  ): void
}

/** Decorates a method that answers `Promise<T>`; a plain call resolves with the value after the worker ran it. */
export interface ResultTaskDecorator {
  <This, T extends Method<This, Promise<unknown>>>(method: T, context: ClassMethodDecoratorContext<This, T>): T | void
  <T extends Method<never, Promise<unknown>>>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<T>): void
}

/** The type of `asyncTask`: a decorator, a factory of decorators, and a wrapper of plain functions. */
export interface AsyncTask extends VoidTaskDecorator {
  /** `asyncTask(fn)`: a function that is sent to the worker when it is called. */
  <A extends unknown[]>(fn: (...args: A) => Promise<void>, options?: LimitedBy<VoidTaskOptions, A>): (...args: A) => Promise<void>
  /** `asyncTask(fn, { result: true })` */
  <A extends unknown[], R>(fn: (...args: A) => Promise<R>, options: LimitedBy<ResultTaskOptions, A>): (...args: A) => Promise<R>
  /** `@asyncTask()`, `@asyncTask({ … })` and `@asyncTask({ result: true })`; one signature, so that a misspelt option is named */
  <R extends boolean | undefined = false>(
    options?: TaskOptions & OptionsOnly & { readonly result?: R },
  ): [R] extends [true] ? ResultTaskDecorator : VoidTaskDecorator
}
