/** An abort signal that is only made when a body asks for it: making one costs more than everything else around a run. */
export class LazySignal {
  #controller: AbortController | undefined
  #reason: { readonly value: unknown } | undefined
  readonly #source: () => AbortSignal | undefined

  /** Aborts with the signal that `source` gives as well; that one too is only asked for with this one. */
  constructor(source: () => AbortSignal | undefined = () => undefined) {
    this.#source = source
  }

  /** The signal of this run. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      this.#follow()
    }
    if (this.#reason !== undefined) this.#controller.abort(this.#reason.value)
    return this.#controller.signal
  }

  get isAborted(): boolean {
    return this.#reason !== undefined
  }

  /** What it was aborted with; `undefined` before. */
  get reason(): unknown {
    return this.#reason?.value
  }

  /** Aborts the signal, also one that is asked for later. */
  abort(reason: unknown): void {
    this.#reason ??= { value: reason }
    this.#controller?.abort(reason)
  }
  #follow(): void {
    const source = this.#source()
    if (source === undefined) return
    if (source.aborted) this.abort(source.reason)
    else source.addEventListener('abort', () => this.abort(source.reason), { once: true })
  }
}
