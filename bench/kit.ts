/** Loads a part of the kit of the tests, which is compiled beside this program. The type is what the caller uses of it. */
export async function loadKit<T>(name: string): Promise<T> {
  // compiled in the same run from test/kit
  return (await import(new URL(`../test/kit/${name}.js`, import.meta.url).href)) as T
}
