/** A stored Flag, and the messages that change it. */
export const reasonUrl = 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-RARecord-RemovalReason-1'

export const flag = {
  resourceType: 'Flag',
  id: '1',
  status: 'active',
  code: { coding: [{ system: 'http://snomed.info/sct', code: '1', display: 'Easyread' }] },
  subject: { reference: 'https://demographics.example/STU3/Patient/9000000009' },
}

export const stored = (version: string) => ({
  ...flag,
  meta: { versionId: version, lastUpdated: '2026-03-02T09:30:00Z' },
})

export const reason = {
  url: reasonUrl,
  extension: [
    {
      url: 'removalReason',
      valueCodeableConcept: {
        coding: [{ system: 'https://fhir.nhs.uk/STU3/CodeSystem/RARecord-RemovalReason-1', code: 'DoesntApply' }],
      },
    },
    { url: 'supportingComment', valueString: 'No longer needed' },
  ],
}

/** Permitted as a removal. */
export const removal = { ...flag, extension: [reason], status: 'inactive' }

/** Refused: the code is not the removal's to change, and the comment is missing. */
export const edit = { ...flag, code: { text: 'Another' } }

export const jsonHeaders = (version: string) => ({
  'content-type': 'application/fhir+json',
  'if-match': `W/"${version}"`,
})
