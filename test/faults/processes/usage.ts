import type { UsageNews } from './orders.js'

/** Tells the suite every second what this process has in use; the answer ends that. */
export function tellUsage(): () => void {
  const timer = setInterval(() => {
    const rssMb = Math.round(process.memoryUsage.rss() / 2 ** 20)
    const active = process.getActiveResourcesInfo()
    const kinds: Record<string, number> = {}
    for (const kind of active) kinds[kind] = (kinds[kind] ?? 0) + 1
    process.send?.({ is: 'usage', rssMb, resources: active.length, kinds } satisfies UsageNews)
  }, 1000)
  return () => clearInterval(timer)
}
