import type { HttpExchange } from '../handler.js'

/**
 * The request that started a process, as its task gets it. Who asked, and the headers that travel, are in `context()` of the task.
 */
export interface PageRequest {
  readonly method: string
  /** Absolute, with its query. */
  readonly url: string
  /** The fields of a form; one that was given several times is a list. Empty where the body is none. */
  readonly form: Readonly<Record<string, string | readonly string[]>>
  /** The body where it is JSON, or what the framework made of it where that is no form; `undefined` for none. */
  readonly body: unknown
}

const FORMS = ['application/x-www-form-urlencoded', 'multipart/form-data']

/** @returns what a task is told of a request; `undefined` where its body is not in the form that it says */
export async function pageRequestOf(exchange: HttpExchange): Promise<PageRequest | undefined> {
  const { request } = exchange
  const about = { method: request.method, url: request.url }
  const kind = (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  try {
    if (exchange.parsedBody !== undefined) return { ...about, ...parsed(exchange.parsedBody, FORMS.includes(kind)) }
    if (FORMS.includes(kind)) return { ...about, form: fieldsOf(await request.formData()), body: undefined }
    if (kind === 'application/json' || kind.endsWith('+json')) return { ...about, form: {}, body: await jsonOf(request) }
    return { ...about, form: {}, body: undefined }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined // what Node throws for a body that is malformed
    throw error
  }
}

function parsed(body: unknown, isForm: boolean): Pick<PageRequest, 'form' | 'body'> {
  if (!isForm) return { form: {}, body }
  const form: Record<string, string | readonly string[]> = {}
  for (const [name, value] of Object.entries(body ?? {})) {
    if (isText(value) || (Array.isArray(value) && value.every(isText))) set(form, name, value)
  }
  return { form, body: undefined }
}

/** Files are left out: they belong where a task finds them, not into its message. */
function fieldsOf(data: FormData): PageRequest['form'] {
  const form: Record<string, string | readonly string[]> = {}
  for (const name of new Set(data.keys())) {
    const values = data.getAll(name).filter(isText)
    const [first] = values
    if (first !== undefined) set(form, name, values.length === 1 ? first : values)
  }
  return form
}

const isText = (value: unknown): value is string => typeof value === 'string'

function set(form: Record<string, string | readonly string[]>, name: string, value: string | readonly string[]): void {
  if (name !== '__proto__') form[name] = value
}

async function jsonOf(request: Request): Promise<unknown> {
  const text = await request.text()
  return text === '' ? undefined : JSON.parse(text)
}
