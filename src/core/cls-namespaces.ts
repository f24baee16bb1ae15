/** What this library uses of a cls-hooked namespace. */
export interface ClsNamespace {
  /** The values that hold now, inherited ones behind its prototype; absent outside any. */
  readonly active?: object | null | undefined
  set(key: string, value: unknown): unknown
  runAndReturn<T>(fn: () => T): T
  bind<T>(fn: () => T, values?: object): () => T
}

type Namespaces = Readonly<Record<string, ClsNamespace | null | undefined>>

/**
 * The application's cls-hooked namespaces, from where cls-hooked keeps them. That package is never imported: a second copy of it
 * replaces this list by an empty one, and the application's namespaces are gone.
 */
export function clsNamespaces(): Namespaces {
  // cls-hooked alone writes this property
  return (process as { readonly namespaces?: Namespaces }).namespaces ?? {}
}
