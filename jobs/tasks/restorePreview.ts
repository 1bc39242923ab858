import { withReauthorization } from "../withReauthorization.ts";

export const restorePreview = withReauthorization("restore.preview", async () => {
  throw new Error("stub: to be written");
});
