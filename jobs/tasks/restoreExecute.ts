import { withReauthorization } from "../withReauthorization.ts";

export const restoreExecute = withReauthorization("restore.execute", async () => {
  throw new Error("stub: to be written");
});
