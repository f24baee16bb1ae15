import type { UsageNews } from './orders.js'

/** Tells the suite every second what this process has in use; the answer ends that. */
export function tellUsage(): () => void {
  const timer = setInterval(() => {
    const rssMb = Math.round(process.memoryUsage.rss() / 2 ** 20)
    process.send?.({ is: 'usage', rssMb, resources: process.getActiveResourcesInfo().length } satisfies UsageNews)
  }, 1000)
  return () => clearInterval(timer)
}
