import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { type PolicyType, policyTypes } from "../../server/provider/policyTypes.ts";
import type { JsonObject, PolicyModel } from "../../server/provider/port.ts";
import { readTarball } from "../helpers/tarball.ts";

/** A policy somebody exported from a directory of theirs. */
export type CorpusPolicy = {
  file: string;
  id: string;
  type: PolicyType;
  matchKey: string;
  payload: JsonObject;
};

export type Corpus = {
  /** How many files the manifest names. */
  files: number;
  policies: CorpusPolicy[];
  /** Files of a kind that the product does not know. */
  unknown: { file: string; kind: string }[];
};

const manifestShape = z.array(z.object({ file: z.string(), kind: z.string() }));
const payloadShape = z.record(z.string(), z.json());

/** The policies in the archive at `path`, in the order of its manifest. Throws when a file of it is missing. */
export function readCorpus(path: string, { matchKeyOf }: PolicyModel): Corpus {
  const files = readTarball(readFileSync(path));
  const read = (name: string): unknown => {
    const found = [...files].find(([file]) => file === name || file.endsWith(`/${name}`));
    if (found === undefined) throw new Error(`The corpus has no ${name}.`);
    return JSON.parse(decode(found[1]));
  };
  const manifest = manifestShape.parse(read("manifest.json"));
  const corpus: Corpus = { files: manifest.length, policies: [], unknown: [] };
  for (const { file, kind } of manifest) {
    const type = policyTypes.find((known) => known === kind);
    if (type === undefined) {
      corpus.unknown.push({ file, kind });
      continue;
    }
    const payload = withLists(payloadShape.parse(read(file)));
    // Not the id it was exported with: some files share one.
    corpus.policies.push({ file, id: randomUUID(), type, matchKey: matchKeyOf(type, payload), payload });
  }
  return corpus;
}

/** Tools that export write a list of one as the one it holds. */
function withLists(payload: JsonObject): JsonObject {
  const { definitionValues: values = [], ...own } = payload;
  if (!("definitionValues" in payload)) return payload;
  return { ...own, definitionValues: Array.isArray(values) ? values : [values] };
}

/** Text as Windows tools leave it: UTF-16 with a mark of its byte order, else UTF-8, with or without one. */
function decode(bytes: Buffer): string {
  const encoding = { "255,254": "utf-16le", "254,255": "utf-16be" }[bytes.subarray(0, 2).join()] ?? "utf-8";
  return new TextDecoder(encoding, { fatal: true }).decode(bytes);
}

/**
 * The same policies in lots without two of one match key: a directory may hold such two, but nobody could tell
 * which of them a backup means.
 */
export function inLots(policies: readonly CorpusPolicy[]): CorpusPolicy[][] {
  const lots: Map<string, CorpusPolicy>[] = [];
  for (const policy of policies) {
    const key = keyOf(policy);
    const free = lots.find((lot) => !lot.has(key));
    if (free === undefined) lots.push(new Map([[key, policy]]));
    else free.set(key, policy);
  }
  return lots.map((lot) => [...lot.values()]);
}

export function keyOf({ type, matchKey }: { type: string; matchKey: string }): string {
  return `${type} ${matchKey}`;
}

/** What the policies refer to and cannot be restored without: groups and scope tags, as ids. */
export function referredTo(policies: readonly CorpusPolicy[]): { groups: string[]; scopeTags: string[] } {
  const users = policies.flatMap(({ payload }) => {
    const found = usersShape.safeParse(payload);
    return found.success ? [found.data.conditions.users] : [];
  });
  const groups = users.flatMap(({ includeGroups = [], excludeGroups = [] }) => [
    ...includeGroups,
    ...excludeGroups,
  ]);
  const tags = policies.flatMap(
    ({ payload }) => z.array(z.string()).safeParse(payload.roleScopeTagIds).data ?? [],
  );
  return { groups: [...new Set(groups)], scopeTags: [...new Set(tags)].filter((tag) => tag !== "0") };
}

const usersShape = z.object({
  conditions: z.object({
    users: z.object({
      includeGroups: z
        .array(z.string())
        .nullish()
        .transform((ids) => ids ?? []),
      excludeGroups: z
        .array(z.string())
        .nullish()
        .transform((ids) => ids ?? []),
    }),
  }),
});
