/** Tasks of this library itself begin so, and no others may. */
export const RESERVED_NAMES = 'errand.'

export const isReservedName = (task: string): boolean => task.startsWith(RESERVED_NAMES)
