import { chainOf, hasPrivateMembers, isDataClass, nameOf } from './class-source.js'
import type { AnyClass } from './class-source.js'
import { isShapedByTransformer } from './class-transformer.js'
import type { ClassCodec, ClassEntry } from './classes.js'

/** How instances of one class are written and made again. */
export type ClassPlan =
  | { readonly kind: 'codec'; readonly codec: ClassCodec }
  | { readonly kind: 'error' }
  | { readonly kind: 'transformer' }
  | { readonly kind: 'fields' }
  | { readonly kind: 'unfit'; readonly problem: string }

const plans = new WeakMap<ClassEntry, ClassPlan>()

/** The way of a registered class: its own codec, else the most that can be done with what is known of it. */
export function planOf(entry: ClassEntry): ClassPlan {
  let plan = plans.get(entry)
  if (plan === undefined) plans.set(entry, (plan = makePlan(entry)))
  return plan
}

function makePlan({ Class, name, codec }: ClassEntry): ClassPlan {
  if (codec !== undefined) return { kind: 'codec', codec }
  if (hasPrivateMembers(Class)) return planOfPrivate(Class, name)
  const ancestor = chainOf(Class).find((link) => link !== Class && !isDataClass(link))
  if (ancestor !== undefined && isErrorClass(ancestor)) return { kind: 'error' }
  if (ancestor !== undefined) {
    const problem = `is an instance of ${name}, which extends ${nameOf(ancestor)} and holds more than its fields`
    return { kind: 'unfit', problem: `${problem}. Use register(${name}, { encode, decode }).` }
  }
  return isShapedByTransformer(Class) ? { kind: 'transformer' } : { kind: 'fields' }
}

/** `#private` fields are out of reach, so the class must say itself what travels. */
function planOfPrivate(Class: AnyClass, name: string): ClassPlan {
  const toJSON: unknown = Reflect.get(Class.prototype, 'toJSON')
  const fromJSON: unknown = Reflect.get(Class, 'fromJSON')
  if (typeof toJSON === 'function' && typeof fromJSON === 'function') {
    const encode = (value: unknown): unknown => Reflect.apply(toJSON, value, [])
    const decode = (data: unknown): unknown => Reflect.apply(fromJSON, Class, [data])
    return { kind: 'codec', codec: { encode, decode } }
  }
  const problem = `is an instance of ${name}, whose #private members cannot be copied`
  const advice = `Use register(${name}, { encode, decode }), or give it toJSON() and a static fromJSON().`
  return { kind: 'unfit', problem: `${problem}. ${advice}` }
}

const isErrorClass = (Class: AnyClass): boolean => Class === Error || chainOf(Class).includes(Error)
