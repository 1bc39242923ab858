/** Every migration's way back: there is none. A mistake is mended by the next migration. */
export async function forwardOnly(): Promise<never> {
  throw new Error("Migrations go forward only; write a new one that mends this one.");
}
