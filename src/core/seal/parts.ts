import { ErrandError } from '../../errors.js'
import { carriersInUse } from '../carrier.js'
import type { Clock } from '../clock.js'
import { decodeParsed, needsDecoding } from '../codec/decode.js'
import { encodeValue } from '../codec/encode.js'
import type { Context } from '../context.js'
import { Note } from '../note.js'
import { readFollowUps, readGiven, writeFollowUps, type FollowUp } from '../follow-up.js'
import { Boxes, type Purpose } from './boxes.js'
import { readContext, writeContext, type ContextTexts } from './context-text.js'
import { isRecord, malformed, parseEnvelope, parseJson, type Envelope } from './envelope.js'
import type { KeyRing } from './key-ring.js'

/** What decides how the parts of a message look. */
export interface PartsOptions {
  readonly keys: KeyRing
  /** The service and environment whose messages these are; those of others are refused. */
  readonly app: string
  readonly env: string
  /**
   * How much is encrypted; all of it is authenticated anyway. `secrets`: secret headers and the states of carriers that are not
   * public; `context`: all of the context; `message`: arguments and outcomes too.
   */
  readonly seal: 'secrets' | 'context' | 'message'
  /** Names of headers that never travel in clear, lower case. */
  readonly secretHeaders: readonly string[]
  readonly clock: Clock
}

/** An envelope, or what was in a box, with what turns its values into what they were. */
export interface Opened {
  readonly fields: Envelope
  readonly decode: (parsed: unknown) => unknown
}

type States = Readonly<Record<string, unknown>>

/**
 * Writes and reads the parts of an envelope, encrypted or not as `seal` says. A part in a box is a text where a part in clear
 * is an object or list, so that each is read as it was written, whatever the reader's own setting.
 */
export class Parts {
  readonly #options: PartsOptions
  readonly #boxes: Boxes
  readonly #secretHeaders: ReadonlySet<string>

  constructor(options: PartsOptions) {
    this.#options = options
    this.#boxes = new Boxes(options.keys, options, options.clock)
    // a context that is encrypted as a whole has no headers apart
    this.#secretHeaders = new Set(options.seal === 'secrets' ? options.secretHeaders : [])
  }

  writeArguments(args: string): string {
    return `,"args":${this.#options.seal === 'message' ? quote(this.#boxes.seal(args, 'arguments')) : args}`
  }

  /** `given` is what goes into the arguments, as `givenOne` or `givenAll` wrote it. */
  writeGiven(given: string): string {
    return `,"given":${this.#options.seal === 'message' ? quote(this.#boxes.seal(given, 'given')) : given}`
  }

  /** Their arguments are hidden as those of the call are. */
  writeFollowUps(next: readonly FollowUp[]): string {
    const text = writeFollowUps(next)
    return `,"next":${this.#options.seal === 'message' ? quote(this.#boxes.seal(text, 'follow-ups')) : text}`
  }

  writeContext(context: Context, subject: string): string {
    const { clear, secret } = this.#contextTexts(context, subject)
    if (this.#options.seal !== 'secrets') return `,"ctx":${quote(this.#boxes.sealAgain(clear, 'context'))}`
    return secret === undefined ? `,"ctx":${clear}` : `,"ctx":${clear},"sec":${quote(this.#boxes.sealAgain(secret, 'headers'))}`
  }

  /** Nobody knows what an application keeps in its carriers, so only what calls itself public travels in clear. */
  writeCarriers(states: States, subject: string): string {
    const clear: string[] = []
    const secret: string[] = []
    for (const [name, state] of Object.entries(states)) {
      const isClear = this.#options.seal === 'secrets' && carriersInUse().get(name)?.isPublic === true
      const holder = isClear ? clear : secret
      holder.push(`${JSON.stringify(name)}:${encodeValue(state, subject, `the state of the carrier "${name}"`)}`)
    }
    const open = clear.length === 0 ? '' : `,"car":{${clear.join(',')}}`
    return secret.length === 0 ? open : `${open},"box":${quote(this.#boxes.sealAgain(`{${secret.join(',')}}`, 'carriers'))}`
  }

  /** `result` is one field with its value. */
  writeResult(result: string): string {
    return `,${this.#options.seal === 'message' ? `"box":${quote(this.#boxes.seal(`{${result}}`, 'outcome'))}` : result}`
  }

  /** Decodes when first called, and answers the same list from then on: decoding takes what was parsed apart. */
  readArguments(envelope: Opened): () => unknown[] {
    const part = this.parsedArguments(envelope)
    const given = envelope.fields['given'] === undefined ? undefined : this.#parsedGiven(envelope)
    return once(() => {
      const list = given === undefined ? part.decode(part.value) : decodeParsed(part.value, { value: readGiven(given.value, given.decode) })
      if (Array.isArray(list)) return list as unknown[] // of whatever the caller gave
      throw malformed('its arguments are not a list')
    })
  }

  /** The arguments before they are decoded. @throws ErrandError `MESSAGE_FORGED`, `MESSAGE_MALFORMED` */
  parsedArguments(envelope: Opened): Part & { readonly value: readonly unknown[] } {
    const { args } = envelope.fields
    const isBox = typeof args === 'string'
    const { value, decode } = isBox ? parsed(this.#boxes.open(args, 'arguments'), 'its list of arguments') : { value: args, decode: envelope.decode }
    if (!Array.isArray(value)) throw malformed('its arguments are not a list')
    return { value, decode }
  }

  /** @throws ErrandError `MESSAGE_FORGED`, `MESSAGE_MALFORMED` */
  readFollowUps({ fields: { next } }: Opened): readonly FollowUp[] {
    return readFollowUps(typeof next === 'string' ? parseJson(this.#boxes.open(next, 'follow-ups'), 'its list of follow-ups') : next)
  }

  /** @throws ErrandError `CONTEXT_UNRESTORABLE`, `MESSAGE_FORGED`, `MESSAGE_MALFORMED` */
  readContext(envelope: Opened): Context | undefined {
    const found = this.parsedContext(envelope)
    if (found === undefined) return undefined
    return readContext(restored({ value: found.clear, decode: found.decode }, 'The context of the caller'), found.secret)
  }

  /** The context before it is decoded, the secret headers apart. @throws ErrandError `MESSAGE_FORGED`, `MESSAGE_MALFORMED` */
  parsedContext(envelope: Opened): { readonly clear: unknown; readonly secret: unknown; readonly decode: Part['decode'] } | undefined {
    const { ctx, sec } = envelope.fields
    if (ctx === undefined) return undefined
    const isBox = typeof ctx === 'string'
    const part = isBox ? parsed(this.#boxes.openAgain(ctx, 'context'), 'its context') : { value: ctx, decode: envelope.decode }
    const secret = typeof sec === 'string' ? parseJson(this.#boxes.openAgain(sec, 'headers'), 'its list of secret headers') : sec
    return { clear: part.value, secret, decode: part.decode }
  }

  /** @throws ErrandError `CONTEXT_UNRESTORABLE`, `MESSAGE_FORGED`, `MESSAGE_MALFORMED` */
  readCarriers(envelope: Opened): States | undefined {
    const { car, box } = envelope.fields
    if (car === undefined && box === undefined) return undefined
    const clear = car === undefined ? {} : readStates({ value: car, decode: envelope.decode })
    return box === undefined ? clear : { ...clear, ...readStates(this.#parsedBox(box, 'carriers')) }
  }

  /** What holds the one field that `writeResult` was given. @throws ErrandError `MESSAGE_FORGED`, `MESSAGE_MALFORMED` */
  readResult(envelope: Opened): Opened {
    const { box } = envelope.fields
    if (box === undefined) return envelope
    const { value, decode } = this.#parsedBox(box, 'outcome')
    if (!isRecord(value)) throw malformed('its outcome is not an object')
    return { fields: value, decode }
  }

  #parsedGiven({ fields: { given }, decode }: Opened): Part {
    return typeof given === 'string' ? parsed(this.#boxes.open(given, 'given'), 'what goes into its arguments') : { value: given, decode }
  }

  #parsedBox(box: unknown, purpose: Purpose): Part {
    if (typeof box !== 'string') throw malformed('its box is not text')
    return parsed(this.#boxes.openAgain(box, purpose), `the box with its ${purpose}`)
  }

  /** Many calls of one request have one context, which is written once. */
  #contextTexts(context: Context, subject: string): ContextTexts {
    const known = Note.read(context)
    if (known instanceof WrittenContext && known.by === this) return known.texts
    const texts = writeContext(context, this.#secretHeaders, subject)
    Note.write(context, new WrittenContext(this, texts))
    return texts
  }
}

/** A context as these settings write it. */
class WrittenContext {
  readonly by: Parts
  readonly texts: ContextTexts

  constructor(by: Parts, texts: ContextTexts) {
    this.by = by
    this.texts = texts
  }
}

/** The envelope of a message whose seal is right. @throws ErrandError `MESSAGE_MALFORMED`, `MESSAGE_TOO_NEW` */
export function openEnvelope(text: string, kind: 'call' | 'reply'): Opened {
  return { fields: parseEnvelope(text, kind), decode: decoderFor(text) }
}

interface Part {
  readonly value: unknown
  readonly decode: (parsed: unknown) => unknown
}

/** Most texts have nothing in them that plain JSON has not: one look at the text saves a walk over the values. */
const decoderFor = (text: string): Part['decode'] => (needsDecoding(text) ? decodeParsed : asItIs)

const asItIs = (value: unknown): unknown => value

const parsed = (text: string, what: string): Part => ({ value: parseJson(text, what), decode: decoderFor(text) })

/** Neither a key id nor base64url has anything that JSON escapes. */
const quote = (box: string): string => `"${box}"`

function readStates({ value, decode }: Part): States {
  if (!isRecord(value)) throw malformed('the states of its carriers are not an object')
  const read = (name: string, state: unknown): unknown => restored({ value: state, decode }, `The state of the carrier "${name}"`)
  // not by assignment: a name may be "__proto__"
  return Object.fromEntries(Object.entries(value).map(([name, state]) => [name, read(name, state)]))
}

function restored({ value, decode }: Part, what: string): unknown {
  try {
    return decode(value)
  } catch (cause) {
    const advice = 'Server and worker must know the same classes and run the same version.'
    throw new ErrandError('CONTEXT_UNRESTORABLE', `${what} cannot be read. ${advice}`, { cause })
  }
}

function once<T>(fn: () => T): () => T {
  let done: { readonly value: T } | { readonly error: unknown } | undefined
  return () => {
    done ??= attempt(fn)
    if ('error' in done) throw done.error
    return done.value
  }
}

function attempt<T>(fn: () => T): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: fn() }
  } catch (error) {
    return { error }
  }
}
