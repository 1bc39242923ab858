import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

/** A file of the project: its path from the root, with forward slashes, and what it holds. */
export type Source = { path: string; text: string };

/** A rule of the house. It names what is wrong in a file, or nothing. */
export type Rule = { name: string; violations(source: Source): string[] };

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Every file that people write: code and views. */
export function readSources(): Source[] {
  const folders = ["server", "jobs", "bin", "migrations", "test", "views", "public"];
  return folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => posix.join(entry.parentPath.slice(root.length).replaceAll("\\", "/"), entry.name)),
    )
    .filter((path) => /\.(ts|js|ejs|css)$/.test(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

/** What a file imports: paths from the root for our own files, names for packages. */
export function importsOf({ path, text }: Source): string[] {
  const specifiers = [
    ...text.matchAll(/^\s*(?:import|export)\b[^;'"]*?from\s+["']([^"']+)["']/gms),
    ...text.matchAll(/^\s*import\s+["']([^"']+)["']/gm),
    ...text.matchAll(/\bimport\(\s*["']([^"']+)["']/g),
  ].map(([, specifier = ""]) => specifier);
  return specifiers.map((specifier) =>
    specifier.startsWith(".") ? posix.join(dirname(path).replaceAll("\\", "/"), specifier) : specifier,
  );
}

/** Files under one of the places may import nothing that is forbidden. */
function mayNotImport(
  name: string,
  files: RegExp,
  forbidden: RegExp,
  excepted: (from: string, imported: string) => boolean = () => false,
): Rule {
  return {
    name,
    violations: (source) =>
      files.test(source.path)
        ? importsOf(source).filter((path) => forbidden.test(path) && !excepted(source.path, path))
        : [],
  };
}

function mayNotContain(name: string, files: RegExp, forbidden: RegExp): Rule {
  return {
    name,
    violations: ({ path, text }) =>
      files.test(path) ? [...text.matchAll(forbidden)].map(([found]) => found) : [],
  };
}

/** Without comments, texts, and what imports and exports rename: only there may "as" and "any" be words. */
function bareCode(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/(?<!:)\/\/.*$/gm, "")
    .replace(/`(?:\\.|[^`\\])*`|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, '""')
    .replace(/^\s*(import|export)\b[^;]*?\bfrom\b/gms, "");
}

/** The arrows and habits of the house: `routes → domain → db`, `jobs → domain → db`, `domain → provider port`. */
export const rules: readonly Rule[] = [
  mayNotImport(
    "domain knows no web framework",
    /^server\/domain\//,
    /^(express|express-session|passport|ejs)(\/|$)/,
  ),
  mayNotImport("domain knows no queue", /^server\/domain\//, /^graphile-worker(\/|$)/),
  mayNotImport("domain reaches the database through server/db only", /^server\/domain\//, /^(pg|knex)(\/|$)/),
  mayNotImport(
    "domain sees the provider's port, never what is behind it",
    /^server\/domain\//,
    /^server\/provider\/(?!(port|policyTypes|certificates)\.ts$)/,
  ),
  mayNotImport(
    "domain looks neither at pages nor at the worker",
    /^server\/domain\//,
    /^(server\/(http|routes|app|index)|jobs\/)/,
  ),
  mayNotImport(
    "authority knows no other part of the domain",
    /^server\/domain\/authority\//,
    /^server\/domain\/(?!authority\/|errors\.ts$)/,
  ),
  mayNotImport(
    "pages know neither the worker nor the database's drivers",
    /^server\/(routes|http)\//,
    /^(jobs\/|pg$|pg\/|knex|graphile-worker)/,
  ),
  mayNotImport("the worker knows no pages", /^jobs\//, /^(server\/(http|routes|app|index)|express)/),
  mayNotImport(
    "tasks see neither pool nor queue",
    /^jobs\/tasks\//,
    /^(pg|knex|graphile-worker|server\/db\/|server\/provider\/(?!(port|policyTypes)\.ts$))/,
  ),
  mayNotImport("server/db knows nothing above it", /^server\/db\//, /^(server\/(?!db\/|config\.ts$)|jobs\/)/),
  mayNotImport("provider knows nothing above it", /^server\/provider\//, /^(server\/(?!provider\/)|jobs\/)/),
  mayNotImport(
    "only the demo and tests use the demo and the embedded PostgreSQL",
    /^(server\/(?!demo\/)|jobs\/|bin\/|migrations\/)/,
    /^server\/(demo\/|db\/embedded)/,
    (from, imported) => from.startsWith("server/db/embedded") && imported.startsWith("server/db/embedded"),
  ),
  mayNotImport("no part of the product imports a test", /^(?!test\/)/, /^test\//),
  mayNotContain(
    "the environment is read in server/config.ts only",
    /^(server\/(?!config\.ts$)|jobs\/|bin\/|migrations\/)/,
    /process\s*\.\s*env\b/g,
  ),
  mayNotContain("views escape everything but their parts", /^views\//, /<%-(?!\s*include\()/g),
  mayNotContain(
    "no inline script, style or handler",
    /^views\//,
    /<script(?![^>]*\bsrc=)|<style\b|\sstyle=|\son[a-z]+=/g,
  ),
  {
    name: "no escape from the types",
    violations: ({ path, text }) =>
      /^(server|jobs|bin)\/.*\.ts$/.test(path)
        ? [
            ...[...bareCode(text).matchAll(/\bas (?!const\b)\w+|(?<!\.)\bany\b|\w!(?=[.;,)\]])/g)].map(
              ([found]) => found,
            ),
            ...[...text.matchAll(/@ts-(ignore|expect-error|nocheck)/g)].map(([found]) => found),
          ]
        : [],
  },
  {
    name: "a file is called by what it is about",
    violations: ({ path }) =>
      /(^|\/)(utils?|common|helpers?|types|misc|[\w-]*manager|[\w-]*service)(\.[^/]*)?(\/|$)/i.test(
        path.replace(/^test\/helpers\//, ""),
      )
        ? [path]
        : [],
  },
  {
    name: "a file holds one idea: at most 200 lines",
    violations: ({ path, text }) => {
      const lines = text.split("\n").length - 1;
      const isCode = /^(server|jobs|bin)\/.*\.ts$/.test(path);
      return isCode && lines > 200 ? [`${lines} lines`] : [];
    },
  },
];
