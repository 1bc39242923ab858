/** The demo cannot start or go on as asked. The message is one line for the person at the terminal. */
export class Refused extends Error {
  override readonly name = "Refused";
}
