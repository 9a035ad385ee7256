import { describe, expect, test } from 'vitest'
import { decodeUtf8, unspeakableAt } from '../../../src/fhir/unicode.ts'

describe('decodeUtf8', () => {
  test('decodes UTF-8', () => {
    expect(decodeUtf8(new TextEncoder().encode('Zoë 😀'))).toEqual({ ok: true, value: 'Zoë 😀' })
  })

  test.each([
    ['a byte order mark', [0xef, 0xbb, 0xbf, 0x7b, 0x7d]],
    ['Latin-1', [0x7b, 0xeb, 0x7d]],
    ['a surrogate in three bytes', [0xed, 0xa0, 0x80]],
    ['an overlong form', [0xc0, 0xaf]],
    ['an end in the middle of a character', [0xf0, 0x9f, 0x98]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00]],
  ])('refuses %s', (_, bytes) => {
    expect(decodeUtf8(Uint8Array.from(bytes))).toMatchObject({ ok: false })
  })
})

describe('unspeakableAt', () => {
  test.each(['', 'plain', 'tab\tline\nreturn\r', 'Zoë 😀', '\u00a0\u200b\u007f\ufffd'])('allows %j', (text) => {
    expect(unspeakableAt(text)).toBe(-1)
  })

  test.each(['\u0000', '\u0008', '\u000b', '\u001f', '\ufffe', '\uffff', '\ud800', '\udc00', '\ude00\ud83d'])(
    'refuses %j',
    (character) => {
      expect(unspeakableAt(`ab${character}c`)).toBe(2)
    },
  )
})
