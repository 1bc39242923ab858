import type { JsonObject } from "../../provider/port.ts";

/** What an administrative template can set, and the inputs that belong to it. The same in every directory. */
export type GroupPolicyDefinition = {
  id: string;
  displayName: string;
  classType: "machine" | "user";
  categoryPath: string;
  presentations: GroupPolicyPresentation[];
};

type GroupPolicyPresentation = { id: string; label: string; kind: "CheckBox" | "TextBox" | "DecimalTextBox" };

export const knownDefinitions: readonly [GroupPolicyDefinition, ...GroupPolicyDefinition[]] = [
  {
    id: "f2d5d0b4-3a52-4c3e-9d0c-6f3f2f0a1c01",
    displayName: "Silently move Windows known folders to OneDrive",
    classType: "machine",
    categoryPath: "\\OneDrive",
    presentations: [
      { id: "f2d5d0b4-3a52-4c3e-9d0c-6f3f2f0a1d01", label: "Tenant ID:", kind: "TextBox" },
      { id: "f2d5d0b4-3a52-4c3e-9d0c-6f3f2f0a1d02", label: "Show notification to users", kind: "CheckBox" },
    ],
  },
  {
    id: "f2d5d0b4-3a52-4c3e-9d0c-6f3f2f0a1c02",
    displayName: "Use OneDrive Files On-Demand",
    classType: "machine",
    categoryPath: "\\OneDrive",
    presentations: [],
  },
  {
    id: "f2d5d0b4-3a52-4c3e-9d0c-6f3f2f0a1c03",
    displayName: "Configure the home page URL",
    classType: "user",
    categoryPath: "\\Microsoft Edge\\Startup, home page and new tab page",
    presentations: [{ id: "f2d5d0b4-3a52-4c3e-9d0c-6f3f2f0a1d03", label: "Home page URL", kind: "TextBox" }],
  },
  {
    id: "f2d5d0b4-3a52-4c3e-9d0c-6f3f2f0a1c04",
    displayName: "Enable saving passwords to the password manager",
    classType: "user",
    categoryPath: "\\Microsoft Edge\\Password manager and protection",
    presentations: [],
  },
  {
    id: "f2d5d0b4-3a52-4c3e-9d0c-6f3f2f0a1c05",
    displayName: "Delay before a screen saver starts",
    classType: "machine",
    categoryPath: "\\Control Panel\\Personalization",
    presentations: [
      { id: "f2d5d0b4-3a52-4c3e-9d0c-6f3f2f0a1d04", label: "Seconds:", kind: "DecimalTextBox" },
    ],
  },
];

export type DefinitionCatalogue = {
  find(id: string): GroupPolicyDefinition | undefined;
  list(): GroupPolicyDefinition[];
  /** A definition of another product's template, or a further presentation of one that is there. */
  learn(definitionId: string, presentationIds: readonly string[]): void;
};

export function makeDefinitionCatalogue(): DefinitionCatalogue {
  const byId = new Map(knownDefinitions.map((definition) => [definition.id, structuredClone(definition)]));
  return {
    find: (id) => byId.get(id),
    list: () => [...byId.values()],
    learn(id, presentationIds) {
      const definition = byId.get(id) ?? ingested(id);
      byId.set(id, definition);
      for (const presentationId of presentationIds) {
        if (definition.presentations.some((known) => known.id === presentationId)) continue;
        definition.presentations.push({ id: presentationId, label: "", kind: "TextBox" });
      }
    },
  };
}

function ingested(id: string): GroupPolicyDefinition {
  return {
    id,
    displayName: `Setting ${id.slice(0, 8)}`,
    classType: "machine",
    categoryPath: "\\",
    presentations: [],
  };
}

/** As Graph shows it. */
export function shownDefinition({ presentations: _apart, ...definition }: GroupPolicyDefinition): JsonObject {
  return {
    ...definition,
    explainText: `About: ${definition.displayName}.`,
    policyType: "admxBacked",
    supportedOn: "Windows 10 and later",
    hasRelatedDefinitions: false,
    version: "1.0",
    lastModifiedDateTime: "2024-05-14T00:00:00Z",
  };
}

export function shownPresentation({ id, label, kind }: GroupPolicyPresentation): JsonObject {
  return {
    "@odata.type": `#microsoft.graph.groupPolicyPresentation${kind}`,
    id,
    label,
    lastModifiedDateTime: "2024-05-14T00:00:00Z",
  };
}
