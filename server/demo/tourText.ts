import { contoso, password } from "./seed/cast.ts";
import { type Act, accounts, type Step, steps } from "./tour.ts";

/** What the terminal shows once the demo is ready. */
export function welcome(demo: { address: string; databaseUrl: string }): string {
  const widest = Math.max(...accounts.map(({ person }) => person.email.length));
  return [
    `Countersign is at ${demo.address}`,
    "",
    `Sign in as (everyone's password is ${password}):`,
    ...accounts.map(({ person, role, sees }) => `  ${person.email.padEnd(widest)}  ${role}: ${sees}`),
    "",
    "Four steps to a blocked run, and three that go on from there:",
    ...steps.flatMap((step, index) => [
      `  ${headingOf(step, index)}`,
      ...step.acts.map((act) => `     ${sentenceOf(act)}`),
    ]),
    "",
    "From the command line, as an operator of the installation:",
    `  DATABASE_URL=${demo.databaseUrl} BASE_URL=${demo.address} \\`,
    `    npm run operation -- request inventory.sync --tenant "${contoso.name}" --wait`,
    "",
    "Ctrl-C stops everything; the data stays. --fresh starts over, --help says more.",
  ].join("\n");
}

/** The same for the README. */
export function tourForReadme(): string {
  return steps
    .flatMap((step, index) => [headingOf(step, index), ...step.acts.map((act) => `   - ${sentenceOf(act)}`)])
    .join("\n");
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

function headingOf({ title }: Step, index: number): string {
  return `${index + 1}. ${title}`;
}

function sentenceOf({ who, where, does, sees }: Act): string {
  return `${who.name.split(" ")[0]}, ${where}: ${does} – ${sees}.`;
}
