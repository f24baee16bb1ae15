import type { ErrorCode } from 'yaml'

/** What is wrong and what to do, for the faults a person makes; the parser's own texts may quote the file. */
const WORDS: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: 'an alias (*name) stands here that names nothing; put quotes around a text that starts with *',
  ALIAS_PROPS: 'an alias (*name) stands here that names nothing; put quotes around a text that starts with *',
  BAD_DQ_ESCAPE: 'a backslash starts no known escape here; use single quotes',
  BAD_INDENT: 'the indentation does not fit the lines around it, or a bracket is not closed',
  BAD_SCALAR_START: 'a text cannot start with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a section cannot begin on this line; start a new line, or put quotes around a text with a colon',
  MISSING_CHAR: 'a quote, bracket, comma, colon or space is missing here',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line and end in a colon',
  MULTIPLE_DOCS: 'one document is enough; remove the line with ---',
  NON_STRING_KEY: 'a key must be a plain name',
  RESOURCE_EXHAUSTION: 'is nested too deeply',
  TAB_AS_INDENT: 'a tab cannot indent; use spaces',
  TAG_RESOLVE_FAILED: 'tags (!name) have no use here; remove it, or put the text in quotes',
}

/** One line for a fault that the YAML parser found. */
export const inOwnWords = (code: ErrorCode): string =>
  WORDS[code] ?? 'this cannot be read as YAML; check the quotes, colons and brackets'
