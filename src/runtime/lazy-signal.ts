/** An abort signal that is only made when a body asks for it: making one costs more than everything else around a run. */
export class LazySignal {
  #controller: AbortController | undefined
  #reason: { readonly value: unknown } | undefined

  /** The signal of this run. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#reason !== undefined) this.#controller.abort(this.#reason.value)
    return this.#controller.signal
  }

  get isAborted(): boolean {
    return this.#reason !== undefined
  }

  /** Aborts the signal, also one that is asked for later. */
  abort(reason: unknown): void {
    this.#reason ??= { value: reason }
    this.#controller?.abort(reason)
  }
}
