/**
 * Answers what the runner asks over the IPC channel; see child.ts. An answer that throws is told as an error.
 * @param {Record<string, (given: any) => unknown>} answers by the name of the question
 */
export function answerQuestions(answers) {
  process.on('message', async ({ number, question, given }) => {
    if (!(question in answers)) return
    try {
      process.send({ number, answer: await answers[question](given) })
    } catch (error) {
      process.send({ number, error: String(error) })
    }
  })
  // A runner that was killed leaves nothing behind.
  process.once('disconnect', () => process.exit())
}
