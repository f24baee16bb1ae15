import { ErrandError } from '../../errors.js'
import type { Context } from '../../core/context.js'
import { refuseUnknownKeys, show } from '../../core/options.js'
import { registry } from '../../core/registry.js'
import type { Class, Task } from '../../core/task.js'
import type { HttpExchange } from '../handler.js'
import type { ResponseBodies } from './bodies.js'
import { defaultBodies } from './file-bodies.js'
import type { PageFunction } from './facts.js'
import { mergeTexts, type PageTexts, type TextsByLanguage } from './texts/texts.js'

/** What a waiting page does. An object, or an instance of a class whose method `run` is the task. */
export interface WaitingPageView {
  /**
   * The task that does the work, with `result: true`: a task function, or a method of `service` (or its name), or of the view itself.
   * It gets what `input` answers, and runs as the person who started it.
   */
  readonly run: string | ((...args: never[]) => Promise<unknown>)
  /** The object whose method `run` is. @defaultValue the view */
  readonly service?: object | undefined
  /**
   * The arguments of the task, or a response instead of a start, such as the first page again with what is missing in the form.
   * @defaultValue the request: a {@link PageRequest}
   */
  readonly input?: ((exchange: HttpExchange) => readonly unknown[] | Response | Promise<readonly unknown[] | Response>) | undefined
  /** Whether a request of the view itself starts the task. @defaultValue whether its method is POST */
  readonly runProcess?: ((exchange: HttpExchange) => boolean | Promise<boolean>) | undefined
  /** Never starts anything, whatever `runProcess` says. @defaultValue false */
  readonly noProcess?: boolean | undefined
  /** What the work is for this person, such as the URL: while it is under way it is joined, not started again. @defaultValue each start is one */
  readonly key?: ((exchange: HttpExchange) => string | undefined) | undefined
  /** The page before the start. @defaultValue a page with a button */
  readonly initialPage?: PageFunction | undefined
  /** The page while it runs. @defaultValue a page with a progress bar */
  readonly processingPage?: PageFunction | undefined
  /** The page of the result, which is `page.value`. @defaultValue the value itself: HTML, JSON, or what `pageResult()` says */
  readonly resultPage?: PageFunction | undefined
  /** The page of what failed, was cancelled, or could not be started; `page.kind` tells which. @defaultValue a page that says so */
  readonly failedPage?: PageFunction | undefined
  /** The page for ids of which nothing is known, or which belong to somebody else. @defaultValue a page that says so */
  readonly unknownPage?: PageFunction | undefined
  /** What `result` answers before the end: the processing page, or nothing; with 202 both. @defaultValue 'page' */
  readonly unfinished?: 'page' | 'empty' | undefined
  /** Whether people can cancel what they started. @defaultValue true */
  readonly cancellable?: boolean | undefined
  /** Texts by language, over those in English, German, Italian and French, or for others. @defaultValue none */
  readonly texts?: TextsByLanguage | undefined
  /** The language of a request. @defaultValue `locale` of the context if it has one, else by `Accept-Language` */
  readonly locale?: ((exchange: HttpExchange) => string | undefined) | undefined
  /** Who may see what others started, without their cookies and headers. @defaultValue nobody */
  readonly isAdmin?: ((context: Context) => boolean) | undefined
  /**
   * How people are known who are not signed in: by a signed cookie of their browser, or by the address itself, whose id is signed then
   * and opens the process to everybody who has it, such as by mail; with it `key` means nothing. @defaultValue 'cookie'
   */
  readonly anonymous?: 'cookie' | 'link' | undefined
  /** Other origins whose pages may start and cancel, such as `https://shop.example`. @defaultValue none */
  readonly trustedOrigins?: readonly string[] | undefined
  /** Directives over those of the pages' content security policy, such as `{ 'img-src': "'self'" }`. @defaultValue none */
  readonly contentSecurityPolicy?: Readonly<Record<string, string>> | undefined
  /** Where the bodies are that tasks wrote with `streamResult()`. @defaultValue files in `bodies` of the configured `dataDir` */
  readonly bodies?: ResponseBodies | undefined
}

const KEYS = {
  functions: ['input', 'runProcess', 'key', 'initialPage', 'processingPage', 'resultPage', 'failedPage', 'unknownPage', 'locale', 'isAdmin'],
  others: ['run', 'service', 'noProcess', 'unfinished', 'cancellable', 'anonymous', 'texts', 'trustedOrigins', 'contentSecurityPolicy', 'bodies'],
}

/** A view that was checked, with its task. */
export interface ResolvedView {
  /** As it was given: its functions are called as its methods. */
  readonly given: WaitingPageView
  readonly task: Task
  /** Calls the task, as any code does. */
  readonly call: (args: readonly unknown[]) => Promise<unknown>
  readonly texts: ReadonlyMap<string, PageTexts>
  readonly trustedOrigins: readonly string[]
  readonly bodies: ResponseBodies
}

/** @throws ErrandError `OPTION_INVALID`, `NOT_A_TASK` */
export function resolveView(given: WaitingPageView): ResolvedView {
  if (typeof given !== 'object' || given === null) throw refused('an object', given)
  // an instance of a class may have fields of its own
  if (Object.getPrototypeOf(given) === Object.prototype) refuseUnknownKeys('waitingPage()', given, [...KEYS.functions, ...KEYS.others])
  for (const name of KEYS.functions) {
    const value: unknown = Reflect.get(given, name)
    if (value !== undefined && typeof value !== 'function') throw refused(`a function as "${name}"`, value)
  }
  const { unfinished = 'page', anonymous = 'cookie', texts = {}, trustedOrigins = [], bodies = defaultBodies } = given
  if (unfinished !== 'page' && unfinished !== 'empty') throw refused(`'page' or 'empty' as "unfinished"`, unfinished)
  if (anonymous !== 'cookie' && anonymous !== 'link') throw refused(`'cookie' or 'link' as "anonymous"`, anonymous)
  if (!Array.isArray(trustedOrigins)) throw refused('a list of origins as "trustedOrigins"', trustedOrigins)
  return { given, ...taskOf(given), texts: mergeTexts(texts), trustedOrigins, bodies }
}

function taskOf(given: WaitingPageView): Pick<ResolvedView, 'task' | 'call'> {
  const self = given.service ?? given
  const method: unknown = typeof given.run === 'string' ? Reflect.get(self, given.run) : Reflect.get(given, 'run')
  const declaration = registry.declarationOf(method)
  if (declaration === undefined || typeof method !== 'function') {
    throw new ErrandError('NOT_A_TASK', 'waitingPage() got something as "run" that is not a task. Put @asyncTask({ result: true }) on it.')
  }
  const { member, kind, options } = declaration
  const name = options.name ?? member
  if (!options.result) {
    throw new ErrandError('OPTION_INVALID', `waitingPage() got the task "${name}" as "run", which keeps no result. Declare it with { result: true }.`)
  }
  if (!options.track) {
    throw new ErrandError('OPTION_INVALID', `waitingPage() got the task "${name}" as "run", of which nothing is kept. Leave its option "track" at true.`)
  }
  if (kind !== 'function' && Reflect.get(self, member) !== method) {
    throw new ErrandError('OPTION_INVALID', `waitingPage() got the method "${member}" as "run" without its object. Give that as "service".`)
  }
  // the constructor of an instance, and what has static methods, are classes
  const owner = kind === 'function' ? undefined : ((kind === 'static' ? self : self.constructor) as Class)
  const call = async (args: readonly unknown[]): Promise<unknown> => Reflect.apply(method, self, args)
  return { task: registry.taskOf(declaration, owner), call }
}

const refused = (wanted: string, got: unknown): ErrandError =>
  new ErrandError('OPTION_INVALID', `waitingPage() takes ${wanted}, got ${show(got)}.`)
