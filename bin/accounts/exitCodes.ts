/** What the process ends with; a contract with the scripts that call it. */
export const exitCodes = { done: 0, usage: 1, refused: 2, unknown: 3 } as const;
