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

/** What a message may hold by default. Who takes larger bodies reads them in `input`, and puts them where the task finds them. */
const LARGEST_BODY = 1024 * 1024

/** @returns what a task is told of a request; `malformed` where its body is not in the form that it says, `large` above 1 MiB */
export async function pageRequestOf(exchange: HttpExchange): Promise<PageRequest | 'malformed' | 'large'> {
  const { request, parsedBody } = exchange
  const about = { method: request.method, url: request.url }
  const type = request.headers.get('content-type') ?? ''
  const kind = type.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const isForm = FORMS.includes(kind)
  if (parsedBody !== undefined) return { ...about, ...parsed(parsedBody, isForm) }
  if (!isForm && kind !== 'application/json' && !kind.endsWith('+json')) return { ...about, form: {}, body: undefined }
  const bytes = await readUpTo(LARGEST_BODY, request)
  if (bytes === undefined) return 'large'
  const body = new Response(bytes, { headers: { 'content-type': type } })
  try {
    if (isForm) return { ...about, form: fieldsOf(await body.formData()), body: undefined }
    return { ...about, form: {}, body: await jsonOf(body) }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return 'malformed' // what Node throws for such a body
    throw error
  }
}

/** The bytes of a body; `undefined` as soon as it is larger. */
async function readUpTo(most: number, { body }: Request): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  // a body gives bytes, which its type does not say
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength
    if (length > most) return undefined
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
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

async function jsonOf(request: Response): Promise<unknown> {
  const text = await request.text()
  return text === '' ? undefined : JSON.parse(text)
}
