export interface Person {
  readonly id: number
  readonly name: string
}

const ADA: Person = { id: 7, name: 'Ada' }

/** Stands for any authentication: who a token belongs to. */
export const personOf = (authorization: string | undefined): Person | undefined => (authorization === 'Bearer token-of-ada' ? ADA : undefined)
