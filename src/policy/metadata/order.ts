/**
 * The elements of a CapabilityStatement that are told on, by where they are defined, in the order of FHIR XML. One table
 * for all FHIR versions: https://hl7.org/fhir/STU3/capabilitystatement.html, https://hl7.org/fhir/R4/capabilitystatement.html,
 * https://hl7.org/fhir/R5/capabilitystatement.html. What is not here does not go through the gateway (messaging, documents,
 * compartments), or says of the whole what is not true of the part (the narrative).
 */
export const order = {
  statement: names(`id meta implicitRules language contained extension modifierExtension
    url identifier version versionAlgorithmString versionAlgorithmCoding name title status experimental date publisher
    contact description useContext jurisdiction purpose copyright copyrightLabel kind instantiates imports software
    implementation fhirVersion acceptUnknown format patchFormat acceptLanguage implementationGuide profile rest`),
  implementation: names('id extension modifierExtension description url custodian'),
  rest: names('id extension modifierExtension mode documentation security resource interaction searchParam operation'),
  security: names('id extension modifierExtension cors service description certificate'),
  resource: names(`id extension modifierExtension type profile supportedProfile documentation interaction versioning
    readHistory updateCreate conditionalCreate conditionalRead conditionalUpdate conditionalPatch conditionalDelete
    referencePolicy searchInclude searchRevInclude searchParam operation`),
  interaction: names('id extension modifierExtension code documentation'),
  operation: names('id extension modifierExtension name definition documentation'),
}

function names(text: string): readonly string[] {
  return text.split(/\s+/)
}
