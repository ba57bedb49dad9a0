/**
 * Seed phrases: BIP-39 in English, empty passphrase, and the keys of the Internet Computer under
 * them. Implements `docs/spec/cli.md` §3.13, `docs/spec/ic-interface.md` §22.
 */
import { entropyToMnemonic, mnemonicToEntropy, mnemonicToSeedSync } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { Problem } from '../../core/base/errors.ts'
import type { KeyCurve } from '../identity.ts'
import { SecretKey } from '../identity.ts'
import { nearestWords } from './nearest-words.ts'
import type { Path } from './slip10.ts'
import { deriveKey, HARDENED } from './slip10.ts'

export type PhraseLength = 12 | 24

const lengths: readonly number[] = [12, 24]
const WORDS_SHOWN_MAX = 3

/** Registered for the Internet Computer (SLIP-44). */
const COIN = 223
const account: Path = [44 + HARDENED, COIN + HARDENED, HARDENED]
const paths: Readonly<Record<KeyCurve, Path>> = {
  secp256k1: [...account, 0, 0],
  ed25519: [...account, HARDENED, HARDENED],
  p256: [...account, 0, 0],
}

/** A phrase that has been checked. The words leave it through `reveal` alone. */
export class Phrase {
  readonly #entropy: Uint8Array

  private constructor(entropy: Uint8Array) {
    this.#entropy = entropy.slice()
  }

  /** 16 or 32 bytes of chance make 12 or 24 words. */
  static ofEntropy(entropy: Uint8Array): Phrase {
    if (entropy.length !== 16 && entropy.length !== 32)
      throw new RangeError(`${entropy.length} bytes of entropy, 16 or 32 make a phrase`)
    return new Phrase(entropy)
  }

  /** Reads what somebody typed: any case, any spaces. What is no phrase is `KEY_BAD_PHRASE`. */
  static parse(text: string): Phrase {
    const words = text.normalize('NFKD').toLowerCase().split(/\s+/).filter(Boolean)
    if (!lengths.includes(words.length))
      throw badPhrase(`a phrase has 12 or 24 words, this one has ${words.length}`, {
        words: words.length,
      })
    const wrong = words.flatMap((word, index) => (wordlist.includes(word) ? [] : [index]))
    const [first] = wrong
    if (first !== undefined) throw wrongWord(words[first] ?? '', wrong)
    try {
      return new Phrase(mnemonicToEntropy(words.join(' '), wordlist))
    } catch {
      // The library's error may speak of the words: it is not kept as a cause.
      throw badPhrase(
        'the words do not belong together: one is another word of the list, or in a wrong place',
        { checksum: false },
      )
    }
  }

  /** The key under this phrase that dfx, quill and icp-cli derive, too. */
  key(curve: KeyCurve): SecretKey {
    const seed = mnemonicToSeedSync(this.#text())
    return new SecretKey(curve, deriveKey(curve, seed, paths[curve]).secret)
  }

  get wordCount(): PhraseLength {
    return this.#entropy.length === 16 ? 12 : 24
  }

  reveal(): { readonly words: readonly string[]; readonly entropy: Uint8Array } {
    return { words: this.#text().split(' '), entropy: this.#entropy.slice() }
  }

  #text(): string {
    return entropyToMnemonic(this.#entropy, wordlist)
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }
}

/** Names places and near words of the first wrong one only: no error holds a phrase. */
function wrongWord(word: string, wrong: readonly number[]): Problem {
  const [place = 0, ...others] = wrong.map((index) => index + 1)
  const nearest = nearestWords(word, wordlist, WORDS_SHOWN_MAX)
  const hint = nearest.length === 0 ? '' : `; near it: ${nearest.join(', ')}`
  const more = others.length === 0 ? '' : `; neither are words ${others.join(', ')}`
  return badPhrase(`word ${place} is not in the list of BIP-39${hint}${more}`, {
    words: wrong.map((index) => index + 1),
    nearest,
  })
}

const badPhrase = (message: string, details: Readonly<Record<string, unknown>>): Problem =>
  new Problem('KEY_BAD_PHRASE', message, {
    fix: 'compare the phrase with the paper, word by word',
    details,
  })
