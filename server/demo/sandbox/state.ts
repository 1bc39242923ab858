import type { Directories } from "./directories.ts";
import type { RequestLog } from "./requestLog.ts";
import type { TokenDesk } from "./tokens.ts";

/** All that one sandbox knows; it ends with the process. */
export type SandboxState = { directories: Directories; log: RequestLog; tokenDesk: TokenDesk };
