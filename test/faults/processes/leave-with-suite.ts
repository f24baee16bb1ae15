/**
 * Ends this process when the suite is gone, also when that was killed. The answer takes that back: from then on it ends by itself or
 * not at all, which is what the suite looks at.
 */
export function leaveWithSuite(): () => void {
  const leave = (): void => process.exit(1)
  process.once('disconnect', leave)
  return () => {
    process.removeListener('disconnect', leave)
    if (process.connected) process.disconnect()
  }
}
