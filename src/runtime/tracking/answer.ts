import type { Sending } from './one-file.js'

/** An outcome on its way to the caller. */
export interface Answer extends Sending {
  /** Is told why it could not be sent. A caller that is gone is no failure. */
  readonly unsent: (error: unknown) => void
}
