/** Where the parts of a view are, as paths that lead to them from anywhere on its host. */
export interface PageLinks {
  /** The view itself. */
  readonly view: string
  /** The script of the processing page. */
  readonly script: string
  /** Cancels by POST. */
  readonly cancel: string
  /** The other three know the process that the page is about; on the first page none. */
  readonly processing: string
  readonly completed: string
  readonly events: string
  readonly result: string
}

/** The links of a view that is mounted at `mount`, for a process. */
export function linksOf(mount: string, processId = ''): PageLinks {
  // two slashes at the beginning would name another host
  const base = mount.replace(/^\/+/, '/')
  const about = `?process_id=${encodeURIComponent(processId)}`
  return {
    view: base === '' ? '/' : base,
    script: `${base}/errand.js`,
    cancel: `${base}/cancel`,
    processing: `${base}/processing${about}`,
    completed: `${base}/completed${about}&output_json=1`,
    events: `${base}/events${about}`,
    result: `${base}/result${about}`,
  }
}
