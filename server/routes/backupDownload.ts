import type { Response } from "express";
import type { Reader } from "../db/database.ts";
import { type BackupItem, countBackupItems, streamBackupItems } from "../domain/backups/backupItems.ts";
import type { BackupSet } from "../domain/backups/backupSets.ts";
import { sendZip, type ZipEntry } from "./zip.ts";

/** Sends a set as a zip of JSON files, one per policy, after a manifest. Resolves when it has been taken. */
export async function sendBackup(reader: Reader, res: Response, set: BackupSet): Promise<void> {
  const day = set.takenAt.toISOString().slice(0, 16).replace(/[-:]/g, "").replace("T", "-");
  res.attachment(`${fileName(set.tenantName)} ${day}.zip`);
  await sendZip(res, entriesOf(reader, set), set.completedAt ?? set.takenAt);
}

async function* entriesOf(reader: Reader, set: BackupSet): AsyncGenerator<ZipEntry> {
  const { id, kind, tenantId, tenantName, takenAt, completedAt, state, types, skipped } = set;
  const counts = await countBackupItems(reader, id);
  const manifest = { id, kind, state, tenantId, tenantName, takenAt, completedAt, types, skipped, counts };
  yield { path: "manifest.json", text: pretty(manifest) };
  for await (const item of streamBackupItems(reader, id)) yield toEntry(item);
}

/** The last part of an item's id keeps names apart; the first is a time, which many share. */
function toEntry(item: BackupItem): ZipEntry {
  const { id, type, name, odataType, providerId, hash, notCaptured, assignments, payload } = item;
  return {
    path: `${type}/${fileName(name)} ${id.slice(-12)}.json`,
    text: pretty({ type, name, odataType, providerId, hash, notCaptured, assignments, payload }),
  };
}

/** In bytes of UTF-8: with what is added to a name, file systems take 255. */
const longestName = 200;

/** A name as every file system takes it: no separators, control or invisible characters, no dots at its ends. */
function fileName(name: string): string {
  const safe = cut(name.normalize("NFC").replace(/[\p{C}\p{Zl}\p{Zp}<>:"/\\|?*]/gu, "-"))
    .replace(/\s+/g, " ")
    .replace(/\.{2,}/g, ".")
    .replace(/^[\s.]+|[\s.]+$/g, "");
  return safe === "" ? "unnamed" : safe;
}

/** As many whole characters as there is room for. */
function cut(name: string): string {
  const room = Buffer.alloc(longestName);
  const { read } = new TextEncoder().encodeInto(name, room);
  return name.slice(0, read);
}

function pretty(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
