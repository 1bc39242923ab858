import type { JsonObject } from "../../provider/port.ts";
import type { SeededRandom } from "./seededRandom.ts";

/** A PowerShell script, a line of it at a time. */
export type ScriptTemplate = { name: string; fileName: string; lines: readonly string[] };

export const scriptTemplates: readonly [ScriptTemplate, ...ScriptTemplate[]] = [
  {
    name: "Windows – Set time zone",
    fileName: "set-time-zone.ps1",
    lines: ["Set-TimeZone -Id 'W. Europe Standard Time'", "Write-Output 'Time zone is set.'"],
  },
  {
    name: "Windows – Remove consumer apps",
    fileName: "remove-consumer-apps.ps1",
    lines: [
      "$names = 'Microsoft.BingNews', 'Microsoft.GamingApp'",
      "Get-AppxPackage -AllUsers | Where-Object Name -In $names | Remove-AppxPackage -AllUsers",
    ],
  },
  {
    name: "Windows – Map print queues",
    fileName: "map-print-queues.ps1",
    lines: ["Add-Printer -ConnectionName '\\\\print01\\ground-floor'"],
  },
];

/** Everything of a script but its id, name and dates. */
export function scriptPayload(random: SeededRandom, { fileName, lines }: ScriptTemplate): JsonObject {
  return {
    description: "",
    scriptContent: Buffer.from(`${lines.join("\r\n")}\r\n`).toString("base64"),
    runAsAccount: random.pick(["system", "user"]),
    enforceSignatureCheck: random.chance(0.3),
    fileName,
    roleScopeTagIds: ["0"],
    runAs32Bit: false,
  };
}
