import { hash, verify } from "@node-rs/argon2";

/** Argon2id (the library's default) with OWASP's parameters: 19 MiB, two passes. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export function hashPassword(password: string): Promise<string> {
  return hash(password, cost);
}

/** A hash no password has. Whoever does not exist is verified against it, at the same cost as anybody else. */
const decoy = hashPassword(`nobody-${Math.random()}-${Date.now()}`);

/** Whether the password is the one hashed; `undefined` (nobody) costs as much and is never right. */
export async function passwordFits(passwordHash: string | undefined, password: string): Promise<boolean> {
  const fits = await verify(passwordHash ?? (await decoy), password);
  return fits && passwordHash !== undefined;
}
