import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import express, { type Router } from "express";

const ours = fileURLToPath(new URL("../../public", import.meta.url));
const htmx = join(dirname(createRequire(import.meta.url).resolve("htmx.org")), "htmx.min.js");

/** Addresses that change with what the files hold, so that browsers may keep them for good. */
export const assets = {
  stylesheet: versioned("countersign.css", join(ours, "countersign.css")),
  script: versioned("countersign.js", join(ours, "countersign.js")),
  htmx: versioned("htmx.js", htmx),
  mark: versioned("mark.svg", join(ours, "mark.svg")),
};

export function assetFiles(): Router {
  const keep = { index: false, immutable: true, maxAge: "1y" } as const;
  const router = express.Router();
  router.use("/assets/htmx.js", express.static(htmx, keep));
  router.use("/assets", express.static(ours, keep));
  return router;
}

function versioned(name: string, file: string): string {
  return `/assets/${name}?v=${createHash("sha256").update(readFileSync(file)).digest("hex").slice(0, 12)}`;
}
