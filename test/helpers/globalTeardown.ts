export default async function globalTeardown(): Promise<void> {
  await globalThis.countersignTestServer?.stop();
  globalThis.countersignTestServer?.remove();
}
