/** A name that this process holds. */
export interface Held {
  /** Aborts when the name is lost without {@link release}: the connection to where names are kept is gone. Another may hold it now. */
  readonly lost: AbortSignal
  /** Lets go; from then on another process can take the name. Safe twice, and after a loss. */
  release(): Promise<void>
}

/**
 * Names of which each is held by one holder of all processes at a time. A name is free again when its holder lets go, closes, or
 * dies. Limits that reach over processes are built on it.
 */
export interface Locks extends AsyncDisposable {
  /**
   * Takes `name` if nobody holds it, this process included; `undefined` where somebody does. Never waits for a holder.
   * @throws ErrandError `BROKER_UNREACHABLE`, `BROKER_CLOSED`
   */
  take(name: string): Promise<Held | undefined>
  /** Lets go of every name. Safe twice. */
  close(): Promise<void>
}
