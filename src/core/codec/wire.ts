/** JSON as the codec writes it. */
export type Wire = string | number | boolean | null | readonly Wire[] | WireObject

/** A JSON object; one that owns {@link TAG} is a tag, never data. */
export interface WireObject {
  readonly [key: string]: Wire
}

/** The key that marks a tag, `{"$":"date","v":"…"}`. A data object that owns it travels inside an `obj` tag. */
export const TAG = '$'

/** Values inside values; more is a mistake or an attack, and would end in a stack overflow somewhere. */
export const MAX_DEPTH = 200

/** Turning digits into a BigInt takes time that grows with their square. */
export const MAX_BIGINT_DIGITS = 4096

/** A pattern from a message may be slow to match; a long one more so. */
export const MAX_REGEXP_LENGTH = 2000

/** Holes cost memory on the other side that the text does not show. */
export const MAX_SPARSE_LENGTH = 65_536

/** Sets a field so that neither a setter nor `__proto__` nor a read-only inherited property gets in the way. */
export function putField(target: object, key: string, value: unknown): void {
  if (key in target) {
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
  } else {
    // the key is not there yet, so this makes an own property
    ;(target as Record<string, unknown>)[key] = value
  }
}
