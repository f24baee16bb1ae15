import { createRequire } from 'node:module'
import { chainOf } from './class-source.js'
import type { AnyClass } from './class-source.js'
import { putField } from './wire.js'

/** The part of the package used here. `enableImplicitConversion` stays off: it would turn the text "false" into true. */
interface Package {
  instanceToPlain(instance: object, options: { enableCircularCheck: boolean }): Record<string, unknown>
  plainToInstance(Class: AnyClass, fields: Readonly<Record<string, unknown>>): object
}

interface FieldMetadata {
  readonly propertyName: string | undefined
}

interface TypeMetadata {
  readonly propertyName: string
  readonly reflectedType?: unknown
  readonly typeFunction?: (context: object) => unknown
  readonly options?: { readonly discriminator?: { readonly subTypes?: readonly { readonly value: unknown }[] } }
}

/** The package's own store of what its decorators said. Internal to it, so every use is guarded. */
interface Storage {
  getStrategy(Class: AnyClass): string
  getExposedMetadatas(Class: AnyClass): readonly FieldMetadata[]
  getExcludedMetadatas(Class: AnyClass): readonly FieldMetadata[]
  getExcludedProperties(Class: AnyClass, direction: number): readonly string[]
  getExposedProperties(Class: AnyClass, direction: number): readonly string[]
  findExposeMetadataByCustomName(Class: AnyClass, name: string): FieldMetadata | undefined
  readonly _transformMetadatas: ReadonlyMap<AnyClass, ReadonlyMap<string, unknown>>
  readonly _typeMetadatas: ReadonlyMap<AnyClass, ReadonlyMap<string, TypeMetadata>>
}

/** The package's number for the way from plain objects to instances. */
const TO_INSTANCE = 0

/** Stands for a value the package must not look into; it passes symbols through untouched. */
const HIDDEN = Symbol('hidden from class-transformer')

let loaded: { readonly transformer: Package; readonly storage: Storage } | null | undefined

/** The package and its storage, when the application has them; looked for once, on first use. */
function load(): typeof loaded {
  if (loaded === undefined) loaded = loadFrom(import.meta.url) ?? loadFrom(`${process.cwd()}/`) ?? null
  return loaded
}

function loadFrom(place: string): typeof loaded {
  try {
    const require = createRequire(place)
    // the package's own declarations say so for the one; the other is checked as far as it can be
    const transformer = require('class-transformer') as Package
    const { defaultMetadataStorage: storage } = require('class-transformer/cjs/storage.js') as { defaultMetadataStorage: Storage }
    const isUsable = storage._transformMetadatas instanceof Map && storage._typeMetadatas instanceof Map
    return isUsable ? { transformer, storage } : null
  } catch {
    // not installed, or a version that is built differently: classes then travel by their fields
    return undefined
  }
}

/** The classes that `@Type` names for fields of `Class`; not complete while one of them is still loading. */
export function typesOfFields(Class: AnyClass): { readonly found: readonly unknown[]; readonly complete: boolean } {
  const storage = load()?.storage
  const found: unknown[] = []
  let complete = true
  for (const link of storage === undefined ? [] : chainOf(Class)) {
    for (const type of storage?._typeMetadatas.get(link)?.values() ?? []) {
      found.push(type.reflectedType, ...(type.options?.discriminator?.subTypes ?? []).map(({ value }) => value))
      try {
        found.push(type.typeFunction?.({ newObject: {}, object: {}, property: type.propertyName }))
      } catch {
        complete = false
      }
    }
  }
  return { found, complete }
}

/** Whether `@Expose`, `@Exclude` or `@Transform` of class-transformer say how instances of `Class` look as data. */
export function isShapedByTransformer(Class: AnyClass): boolean {
  const storage = load()?.storage
  if (storage === undefined) return false
  const chain = chainOf(Class)
  if (chain.some((link) => storage.getStrategy(link) !== 'none' || storage._transformMetadatas.has(link))) return true
  return storage.getExposedMetadatas(Class).length > 0 || storage.getExcludedMetadatas(Class).length > 0
}

/**
 * The fields of `instance` under the names and with the values its decorators ask for. The package decides which fields
 * travel and what `@Transform` makes of them; a field without `@Transform` keeps its own value, because the package would
 * turn a Set into a list and a URL into `{}`.
 */
export function toFields(Class: AnyClass, instance: object): Record<string, unknown> {
  const { transformer, storage } = present()
  const open = readsWholeObject(storage, Class)
  // an object without fields whose prototype is that of the class
  const shadow = Object.create(Class.prototype) as object
  for (const [key, value] of Object.entries(instance) as [string, unknown][]) {
    // a function is always hidden: the package would call it
    const shown = typeof value !== 'function' && (open || !isOpaque(value)) ? value : HIDDEN
    putField(shadow, key, shown)
  }
  const fields = transformer.instanceToPlain(shadow, { enableCircularCheck: true })
  for (const name of Object.keys(fields)) {
    const property = propertyOf(storage, Class, name)
    if (!isTransformed(storage, Class, property)) fields[name] = Reflect.get(instance, property)
  }
  return fields
}

/** The instance that {@link toFields} gave these fields for; its class is constructed without arguments. */
export function fromFields(Class: AnyClass, fields: Readonly<Record<string, unknown>>): object {
  const { transformer, storage } = present()
  const open = readsWholeObject(storage, Class)
  const shown: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) putField(shown, name, open || !isOpaque(value) ? value : HIDDEN)
  const instance = transformer.plainToInstance(Class, shown)
  for (const [name, value] of Object.entries(fields)) {
    const property = propertyOf(storage, Class, name)
    if (!isOpaque(value) || isTransformed(storage, Class, property)) continue
    // a field that the decorators keep out may be there all the same, set by the constructor
    if (!Object.hasOwn(instance, property) || !isAccepted(storage, Class, property)) continue
    Object.defineProperty(instance, property, { value, writable: true, enumerable: true, configurable: true })
  }
  return instance
}

function present(): NonNullable<typeof loaded> {
  const found = load()
  // isShapedByTransformer answered true, which it does only when the package was found
  return found as NonNullable<typeof loaded>
}

/** Objects other than those which the package copies faithfully and `@Type(() => Date)` may expect. */
const isOpaque = (value: unknown): boolean => typeof value === 'object' && value !== null && !(value instanceof Date)

/** A `@Transform` or an exposed accessor may read every field of its object, so none can be hidden from it. */
function readsWholeObject(storage: Storage, Class: AnyClass): boolean {
  if (chainOf(Class).some((link) => storage._transformMetadatas.has(link))) return true
  return storage.getExposedMetadatas(Class).some(({ propertyName: name }) => name !== undefined && name in Class.prototype)
}

/** Whether decorators let a field of a message into an instance. */
function isAccepted(storage: Storage, Class: AnyClass, property: string): boolean {
  if (storage.getExcludedProperties(Class, TO_INSTANCE).includes(property)) return false
  return storage.getStrategy(Class) !== 'excludeAll' || storage.getExposedProperties(Class, TO_INSTANCE).includes(property)
}

const propertyOf = (storage: Storage, Class: AnyClass, name: string): string =>
  storage.findExposeMetadataByCustomName(Class, name)?.propertyName ?? name

const isTransformed = (storage: Storage, Class: AnyClass, property: string): boolean =>
  chainOf(Class).some((link) => storage._transformMetadatas.get(link)?.has(property) === true)
