import { mediaType, type Json } from './records.ts'

export interface Answer {
  readonly status: number
  readonly etag: string | null
  readonly json: Json
}

/** Asks for FHIR JSON, and sends it where there is a body. */
export async function ask(url: string, method = 'GET', body?: Json, ifMatch?: string): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    headers: {
      accept: mediaType.json,
      ...(body ? { 'content-type': mediaType.json } : {}),
      ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  return { status: answer.status, etag: answer.headers.get('etag'), json: (await answer.json()) as Json }
}
