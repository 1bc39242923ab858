import { Readable, type Writable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";

export type ZipEntry = { path: string; text: string };

/**
 * Sends entries as a zip, as fast as the other side takes them: the next entry is asked for when the one before
 * has been read, so that memory holds a few of them, however many there are. When the other side goes away, no
 * more are asked for.
 */
export async function sendZip(to: Writable, entries: AsyncIterable<ZipEntry>, madeAt: Date): Promise<void> {
  const zip = new ZipFile();
  const gone = new AbortController();
  const sending = pipeline(zip.outputStream, to).catch(() => gone.abort());
  try {
    for await (const { path, text } of entries) {
      const content = Readable.from([Buffer.from(text)]);
      zip.addReadStream(content, path, { mtime: madeAt });
      await finished(content, { signal: gone.signal });
    }
    zip.end();
  } catch (error) {
    if (gone.signal.aborted) return;
    // Half a zip must not pass for a whole one.
    to.destroy();
    throw error;
  } finally {
    await sending;
  }
}
