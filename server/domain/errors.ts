import type { Capability } from "./authority/capabilities.ts";

/** Out of the viewer's scope, or not there at all: nobody can tell which. */
export class NotFound extends Error {
  override readonly name = "NotFound";
  constructor() {
    super("It does not exist, or not for this person.");
  }
}

/** In scope, but a right is missing; the page names it and who can grant it. */
export class Forbidden extends Error {
  override readonly name = "Forbidden";
  readonly capability: Capability;
  constructor(capability: Capability) {
    super(`The capability ${capability} is missing.`);
    this.capability = capability;
  }
}

/** What was sent cannot be used; one message per field, in words for the person who sent it. */
export class Invalid extends Error {
  override readonly name = "Invalid";
  readonly fields: Readonly<Record<string, string>>;
  constructor(fields: Readonly<Record<string, string>>) {
    super("What was sent cannot be used.");
    this.fields = fields;
  }
}

/** It was possible when the page was shown and is not any more. The message is for the person. */
export class Conflict extends Error {
  override readonly name = "Conflict";
}
