import type { DefinitionCatalogue } from "./definitionCatalogue.ts";
import type { Directories } from "./directories.ts";
import type { Schema } from "./graph/schema.ts";
import type { RequestLog } from "./requestLog.ts";
import type { TokenDesk } from "./tokens.ts";

/** All that one sandbox knows; it ends with the process. Schema and definitions hold for all directories. */
export type SandboxState = {
  directories: Directories;
  log: RequestLog;
  tokenDesk: TokenDesk;
  schema: Schema;
  definitions: DefinitionCatalogue;
};
