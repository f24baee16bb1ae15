/** A body that was written down. */
export interface KeptBody {
  /** Not guessable. */
  readonly id: string
  readonly bytes: number
}

/** Keeps bodies of responses that are too large for a result. Server and workers must see the same ones. */
export interface ResponseBodies {
  /**
   * Writes a body down as it comes, without holding it in memory, until `expiresAt` (milliseconds since the epoch). Nothing of it is seen
   * before all of it is there; where `body` throws, nothing stays.
   */
  write(body: AsyncIterable<Uint8Array | string>, options: { readonly expiresAt: number }): Promise<KeptBody>
  /** The body as a stream; `undefined` where it is not there, or not any more. */
  read(id: string): Promise<ReadableStream<Uint8Array> | undefined>
  /** Removes a body; nothing happens where there is none. */
  remove(id: string): Promise<void>
}
