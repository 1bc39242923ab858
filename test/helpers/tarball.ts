import { gunzipSync } from "node:zlib";

const blockSize = 512;

/** The regular files of a gzipped tar archive by name, read in memory. Names longer than the header holds are not known. */
export function readTarball(gzipped: Buffer): Map<string, Buffer> {
  const archive = gunzipSync(gzipped);
  const files = new Map<string, Buffer>();
  for (let at = 0; at + blockSize <= archive.length; ) {
    const header = archive.subarray(at, at + blockSize);
    const name = nameIn(header);
    // The archive ends with empty blocks.
    if (name === "") break;
    const size = Number.parseInt(textIn(header, 124, 12), 8);
    const start = at + blockSize;
    if (isRegular(header)) files.set(name, archive.subarray(start, start + size));
    at = start + Math.ceil(size / blockSize) * blockSize;
  }
  return files;
}

function nameIn(header: Buffer): string {
  const prefix = textIn(header, 257, 5) === "ustar" ? textIn(header, 345, 155) : "";
  const name = textIn(header, 0, 100);
  return prefix === "" ? name : `${prefix}/${name}`;
}

function isRegular(header: Buffer): boolean {
  const kind = textIn(header, 156, 1);
  return kind === "0" || kind === "";
}

function textIn(header: Buffer, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end === -1 ? length : end);
}
