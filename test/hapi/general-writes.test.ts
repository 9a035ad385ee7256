import { inject } from 'vitest'
import { describeGeneralWrites } from './general-writes.ts'

describeGeneralWrites('HAPI', () => inject('hapi').R4)
