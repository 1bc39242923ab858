import type { JsonObject, JsonValue } from "../../provider/port.ts";
import {
  type GroupPolicyDefinition,
  knownDefinitions,
  shownDefinition,
  shownPresentation,
} from "./definitionCatalogue.ts";
import type { SeededRandom } from "./seededRandom.ts";

/** An administrative template: which definitions of the catalogue it sets. */
export type AdministrativeTemplate = { name: string; definitions: readonly number[] };

export const administrativeTemplates: readonly [AdministrativeTemplate, ...AdministrativeTemplate[]] = [
  { name: "Windows – OneDrive", definitions: [0, 1] },
  { name: "Windows – Edge for users", definitions: [2, 3] },
  { name: "Windows – Screen saver", definitions: [4] },
];

/** Everything of an administrative template but its id, name and dates. */
export function administrativePayload(
  random: SeededRandom,
  template: AdministrativeTemplate,
  dates: JsonObject,
): JsonObject {
  return {
    description: "",
    roleScopeTagIds: ["0"],
    policyConfigurationIngestionType: "builtIn",
    definitionValues: template.definitions.map((index) =>
      definitionValue(random, knownDefinitions[index] ?? knownDefinitions[0], dates),
    ),
  };
}

function definitionValue(
  random: SeededRandom,
  definition: GroupPolicyDefinition,
  dates: JsonObject,
): JsonObject {
  return {
    id: random.uuid(),
    ...dates,
    enabled: definition.presentations.length > 0 || random.chance(0.7),
    configurationType: "policy",
    definition: shownDefinition(definition),
    presentationValues: definition.presentations.map((presentation) => ({
      ...valueFor(random, presentation.kind),
      id: random.uuid(),
      ...dates,
      presentation: shownPresentation(presentation),
    })),
  };
}

function valueFor(
  random: SeededRandom,
  kind: GroupPolicyDefinition["presentations"][number]["kind"],
): JsonObject {
  switch (kind) {
    case "CheckBox":
      return typed("Boolean", random.chance(0.5));
    case "DecimalTextBox":
      return typed("Decimal", random.pick([300, 600, 900]));
    case "TextBox":
      return typed("Text", random.pick(["https://intranet.example", "https://start.example"]));
  }
}

function typed(kind: string, value: JsonValue): JsonObject {
  return { "@odata.type": `#microsoft.graph.groupPolicyPresentationValue${kind}`, value };
}
