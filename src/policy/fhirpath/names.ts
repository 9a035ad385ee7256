/** Variables that stand for a header field: %`header-x-name`, as FHIR names value sets %`vs-[name]`. */
export const headerPrefix = 'header-'
