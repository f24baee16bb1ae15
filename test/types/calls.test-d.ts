// What the compiler must say of calls. Compiled by types.test.ts; never run.
import { asyncTask, background, context, currentTask, enqueue, original, perform, start, withContext } from 'errand'
import type { Background, Context, Running, TaskHandle } from 'errand'

declare module 'errand' {
  interface RequestContext {
    user: { readonly email: string }
    tenant: string
  }
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>(): T | undefined => undefined

class Mail {
  from = 'post@example.org'

  @asyncTask()
  async send(to: string, copies?: number): Promise<void> {
    void [to, copies]
  }

  @asyncTask({ result: true })
  async report(year: number): Promise<{ pages: number }> {
    return { pages: year }
  }

  plain(): string {
    return this.from
  }
}

const mail = new Mail()
const sendSms = asyncTask(async (to: string, text: string): Promise<void> => void [to, text], { name: 'sendSms', retries: 5 })
const count = asyncTask(async (of: string): Promise<number> => of.length, { name: 'count', result: true })

// the decorated method keeps its type
is<Equal<Parameters<Mail['send']>, [to: string, copies?: number | undefined]>>()
is<Equal<ReturnType<Mail['report']>, Promise<{ pages: number }>>>()
// @ts-expect-error arguments of a task are checked
void mail.send(1)

// a function keeps its type
is<Equal<typeof sendSms, (to: string, text: string) => Promise<void>>>()
is<Equal<typeof count, (of: string) => Promise<number>>>()
// @ts-expect-error a function with a value needs { result: true }
asyncTask(async (): Promise<number> => 1)
// @ts-expect-error misspelt option
asyncTask(async (): Promise<void> => {}, { retrys: 1 })

// background() offers the methods that answer a promise, each with a handle
is<Equal<keyof Background<Mail>, 'send' | 'report'>>()
const later = background(mail, { delay: '10m', priority: 5 })
is<Equal<ReturnType<typeof later.report>, Promise<TaskHandle<{ pages: number }>>>>()
is<Equal<ReturnType<typeof later.send>, Promise<TaskHandle<void>>>>()
is<Equal<Parameters<typeof later.send>, [to: string, copies?: number | undefined]>>()
// @ts-expect-error arguments are checked
void later.report('2026')
// @ts-expect-error not a method that answers a promise
void later.plain()
// @ts-expect-error not a method
void later.from
// @ts-expect-error misspelt option of a call
background(mail, { delya: 1 })
// @ts-expect-error an option of tasks, not of calls
background(mail, { retries: 1 })

// a length of time is a number or a text with a unit
background(mail, { delay: 1.5 })
background(mail, { delay: '500ms' })
background(mail, { delay: '1.5 h' })
// @ts-expect-error not a length of time
background(mail, { delay: 'soon' })
// @ts-expect-error a unit that does not exist
background(mail, { delay: '3y' })
// @ts-expect-error a text without a unit
background(mail, { delay: '30' })

// enqueue() takes the type of the call
const queued = enqueue(() => mail.report(2026), { queue: 'slow' })
is<Equal<typeof queued, Promise<TaskHandle<{ pages: number }>>>>()
// @ts-expect-error a call is needed, not its promise
void enqueue(mail.report(2026))

// a handle answers the body's value
export const pages = async (): Promise<number> => (await (await queued).result({ timeout: '30s' })).pages

// perform() and original()
void perform(sendSms, '+33', 'hi')
// @ts-expect-error an argument is missing
void perform(sendSms, '+33')
is<Equal<ReturnType<ReturnType<typeof original<Mail, 'report'>>>, Promise<{ pages: number }>>>()
// @ts-expect-error no such method
original(mail, 'reprot')

// the context has what the application declared, and what every request has
is<Equal<Context['tenant'], string>>()
is<Equal<Context['user'], { readonly email: string }>>()
is<Equal<ReturnType<typeof context>, Context>>()
export const language: string | undefined = context().headers['accept-language']
// @ts-expect-error a context is read only
context().tenant = 'other'
is<Equal<number, ReturnType<typeof withContext<number>>>>()
// @ts-expect-error a misspelt field of the context
withContext({ tenent: 'a' }, () => 1)

// a task knows itself
export const signal: AbortSignal = currentTask().signal

// start() refuses misspelt keys of the configuration
export const running: Promise<Running> = start({ withAsync: true })
// @ts-expect-error misspelt
void start({ withAsnc: true })
