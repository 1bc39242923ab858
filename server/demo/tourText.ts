import { password } from "./seed/cast.ts";
import { accounts, type Step, steps, strangers } from "./tour.ts";

/** What the terminal shows once the demo is ready. */
export function welcome(demo: { address: string; databaseUrl: string }): string {
  const widest = Math.max(...accounts.map(({ person }) => person.email.length));
  return [
    `Countersign is at ${demo.address}`,
    "",
    `Sign in as (everyone's password is ${password}):`,
    ...accounts.map(({ person, role, sees }) => `  ${person.email.padEnd(widest)}  ${role}: ${sees}`),
    "",
    "Five steps to a blocked run:",
    ...steps.map((step, index) => `  ${index + 1}. ${sentenceOf(step)}`),
    "",
    "Then send the run's address to someone who may not look:",
    ...strangers.map((step) => `  - ${sentenceOf(step)}`),
    "",
    "From the command line, as an operator of the installation:",
    `  DATABASE_URL=${demo.databaseUrl} BASE_URL=${demo.address} \\`,
    '    npm run operation -- request inventory.sync --tenant "Adatum Health" --wait',
    "",
    "Ctrl-C stops everything; the data stays. --fresh starts over, --help says more.",
  ].join("\n");
}

/** The same for the README. */
export function tourForReadme(): string {
  return [
    ...steps.map((step, index) => `${index + 1}. ${sentenceOf(step)}`),
    "",
    "Then send the run's address to someone who may not look:",
    "",
    ...strangers.map((step) => `- ${sentenceOf(step)}`),
  ].join("\n");
}

export function accountsForReadme(): string {
  return table([
    ["sign in as", "role", "sees"],
    ...accounts.map(({ person, role, sees }) => [`\`${person.email}\``, role, sees]),
  ]);
}

/** As the formatter lays a Markdown table out. */
function table([head = [], ...rows]: string[][]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

function sentenceOf({ who, does, sees }: Step): string {
  const first = who?.name.split(" ")[0];
  return `${first === undefined ? "" : `${first}: `}${does} ${sees}`;
}
