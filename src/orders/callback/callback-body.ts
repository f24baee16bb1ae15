/** What is known of an order when it is placed. */
export interface CallbackOrder {
  readonly uuid: string
  /** Where its result can be found; empty where nowhere. */
  readonly resource_url: string
}

/** How the task of an order ended. */
export interface OrderEnd {
  readonly state: 'completed' | 'failed' | 'cancelled'
}

/** An error may tell of what is inside; whoever is called is outside. */
const FAILED = 'The order could not be carried out.'

/** JSON text that tells the end of an order. */
export function bodyOf({ uuid, resource_url }: CallbackOrder, { state }: OrderEnd): string {
  return JSON.stringify({ uuid, status: state, message: state === 'failed' ? FAILED : '', resource_url })
}
