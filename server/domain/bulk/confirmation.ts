/** What is wrong with the confirmation of something dangerous: the tenant's name typed, a reason given. */
export function confirmationProblems(
  expectedName: string,
  { tenantName, reason }: { tenantName: string; reason: string },
): Record<string, string> {
  const said = reason.trim();
  return {
    ...(tenantName.trim() === expectedName ? {} : { tenantName: `Type ${expectedName} to confirm.` }),
    ...(said === "" ? { reason: "Say why, for those who read about it later." } : {}),
    ...(said.length > 500 ? { reason: "Use at most 500 characters." } : {}),
  };
}
