import { inject } from 'vitest'
import { describeUpstreamContract } from './contract.ts'

describeUpstreamContract('HAPI FHIR, DSTU3', () => inject('hapi').DSTU3, { fhirVersion: '3.0' })
describeUpstreamContract('HAPI FHIR, R4', () => inject('hapi').R4, { fhirVersion: '4.0' })
