import { describe, expect, it } from 'vitest'
import { isFormatOnly, readCriteria, readIfNoneExist } from '../../../src/fhir/criteria.ts'

describe('the criteria of a conditional interaction', () => {
  it.each([
    ['identifier=https://lab.example/ids|A-1', 'identifier=https%3A%2F%2Flab.example%2Fids%7CA-1'],
    ['_id=1&_format=json&_pretty=true', '_id=1'],
    ['subject:Patient.name=Quill', 'subject%3APatient.name=Quill'],
    ['code=a+b', 'code=a%20b'],
    ['identifier=http://x/y?status=active', 'identifier=http%3A%2F%2Fx%2Fy%3Fstatus%3Dactive'],
  ])('%s are written anew', (query, criteria) => {
    expect(readCriteria(query)).toEqual({ criteria })
  })

  it.each([
    [''],
    ['_format=json'],
    ['_count=1'],
    ['_sort=_id&_id=1'],
    ['_include=Flag:subject&_id=1'],
    ['_getpages=x'],
    ['identifier='],
    ['identifier'],
    ['=x'],
    ['Patient?code=zz'],
    ['a b=1'],
    ['_id=%E0%A4%A'],
    ['_id=1\u00e9'],
  ])('%j are refused', (query) => {
    expect(readCriteria(query)).toHaveProperty('sentence')
  })

  it.each(['identifier=a?b', '?identifier=a?b', 'Flag?identifier=a?b', ' identifier=a?b\t'])(
    'of If-None-Exist may have the type in front, and nothing else is cut off: %j',
    (value) => {
      expect(readIfNoneExist(value, 'Flag')).toEqual({ criteria: 'identifier=a%3Fb' })
    },
  )

  it('of If-None-Exist for another type are refused', () => {
    expect(readIfNoneExist('Patient?code=zz', 'Flag')).toHaveProperty('sentence')
  })

  it('may be nothing but a format where an id stands', () => {
    expect([isFormatOnly(''), isFormatOnly('_format=xml&_pretty=true'), isFormatOnly('_cascade=delete')]).toEqual([
      true,
      true,
      false,
    ])
  })
})
