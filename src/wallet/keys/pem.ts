/** Blocks of text around keys. Source: RFC 7468; `docs/spec/ic-interface.md` §22 rules 1, 4. */
import { concat, fromUtf8, utf8 } from '../../core/base/bytes.ts'
import { attempt, BadEncoding, Problem } from '../../core/base/errors.ts'

/** A file of keys is small; larger ones are not read. */
export const PEM_BYTES_MAX = 65_536
const LINE_LENGTH = 64
const BLOCKS_MAX = 16

export type PemBlock = { readonly label: string; readonly der: Uint8Array }

/** What a file holds is not what a key file holds. No error quotes a file. */
export const unreadable = (message: string, fix?: string): Problem =>
  new Problem('KEY_CORRUPT', message, {
    fix: fix ?? 'export the key again from the program it is from, and import that file',
  })

/** All blocks of a text, whatever stands between them. */
export function readPem(bytes: Uint8Array): readonly PemBlock[] {
  if (bytes.length > PEM_BYTES_MAX)
    throw unreadable(`a file of more than ${PEM_BYTES_MAX} bytes is no key file`)
  const text = attempt(() => fromUtf8(bytes))
  if (text instanceof BadEncoding) throw unreadable('a PEM file is text, this one is not')
  const blocks = [
    ...text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,40})-----((?:(?!-----)[\s\S])*)-----END \1-----/g),
  ]
  const marks = text.match(/-----(?:BEGIN|END)/g)?.length ?? 0
  if (marks !== 2 * blocks.length)
    throw unreadable('a block of this PEM file does not end, or is not begun')
  if (blocks.length > BLOCKS_MAX) throw unreadable(`more than ${BLOCKS_MAX} blocks in one PEM file`)
  return blocks.map(([, label = '', body = '']) => ({ label, der: fromBody(label, body) }))
}

function fromBody(label: string, body: string): Uint8Array {
  if (body.includes(':'))
    throw unreadable(
      `the block ${label} has headers: it is encrypted in an old way that is not supported`,
      'write it anew with: openssl pkcs8 -topk8 -scrypt -in <file>',
    )
  const digits = body.replace(/\s+/g, '')
  const der = new Uint8Array(Buffer.from(digits, 'base64'))
  if (der.length === 0 || Buffer.from(der).toString('base64') !== digits)
    throw unreadable(`the block ${label} does not hold base64`)
  return der
}

/** The one private key among the blocks; the others are named when there is not exactly one. */
export function privateKeyBlock(blocks: readonly PemBlock[]): PemBlock {
  const [block, ...others] = blocks.filter(({ label }) => /(?:^| )PRIVATE KEY$/.test(label))
  if (block !== undefined && others.length === 0) return block
  const labels = blocks.map(({ label }) => label).join(', ')
  const found = labels === '' ? 'no PEM blocks' : `these blocks: ${labels}`
  throw unreadable(
    `a key file holds one private key, this one holds ${found}`,
    block === undefined ? undefined : 'put each key into a file of its own',
  )
}

export function encodePem({ label, der }: PemBlock): Uint8Array {
  const digits = Buffer.from(der).toString('base64')
  const lines = digits.match(new RegExp(`.{1,${LINE_LENGTH}}`, 'g')) ?? []
  const text = [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
  return concat(utf8(text))
}
