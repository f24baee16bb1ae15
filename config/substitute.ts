/** A text with its variables put in. */
export interface Substitution {
  readonly text: string
  /** Variables whose values are in the text now. */
  readonly names: readonly string[]
  /** Why it could not be done, without any value. */
  readonly fault: string | undefined
}

const REFERENCE = /\$\$\{|\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}|\$\{/g

/**
 * Replaces `${NAME}` by the environment variable, and `${NAME:-default}` by the default when the variable is not set or empty.
 * `$${` stands for the two characters `${`. What is put in is never looked at again.
 */
export function substitute(given: string, env: NodeJS.ProcessEnv): Substitution {
  const names: string[] = []
  let fault: string | undefined
  const text = given.replaceAll(REFERENCE, (reference: string, name?: string, fallback?: string) => {
    if (reference === '$${') return '${'
    if (name === undefined) {
      fault ??= 'has a ${ that is not ${NAME} or ${NAME:-default}; write $${ for the characters themselves'
      return ''
    }
    const value = env[name]
    if (value === undefined && fallback === undefined) {
      fault ??= `needs the environment variable ${name}, which is not set; set it, or write \${${name}:-default}`
    }
    names.push(name)
    return fallback !== undefined && (value === undefined || value === '') ? fallback : (value ?? '')
  })
  return { text, names, fault }
}
