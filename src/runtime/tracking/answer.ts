/** An outcome on its way to the caller. */
export interface Answer {
  /** @throws ErrandError what `publish` of the broker rejects with */
  readonly send: () => Promise<void>
  /** Is told why it could not be sent. A caller that is gone is no failure. */
  readonly unsent: (error: unknown) => void
}
