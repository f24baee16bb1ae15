/** Not null, not a function. */
export const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** `Date`, `Generator`, `Arguments`: what an object calls itself. */
export const kindOf = (value: object): string => Object.prototype.toString.call(value).slice('[object '.length, -1)

/** `a Date`, `an EventEmitter`. */
export const withArticle = (name: string): string => `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`

/** `Object.prototype`, also that of another realm (Node's own objects under a test runner), or none. */
export function isPlainPrototype(prototype: unknown): boolean {
  if (prototype === Object.prototype || prototype === null) return true
  return isObject(prototype) && Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')
}

/** `Array.prototype`, also that of another realm. */
export function isListPrototype(prototype: unknown): boolean {
  return prototype === Array.prototype || (Array.isArray(prototype) && isPlainPrototype(Object.getPrototypeOf(prototype)))
}
