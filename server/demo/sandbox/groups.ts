import { z } from "zod";

/** A security group: what policies are assigned to. Several may have the same name. */
export const groupDefinition = z.object({ id: z.string().min(1), displayName: z.string().min(1) });

export type Group = z.infer<typeof groupDefinition>;
