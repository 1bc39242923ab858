import { expect, test } from "@jest/globals";
import { wayTo } from "../helpers/denials.ts";
import { useInstallation } from "../helpers/installation.ts";
import { countAsked, loseAuthority } from "../helpers/loseAuthority.ts";
import { setScene } from "../helpers/scenes.ts";
import { makeTrustingTasks } from "../helpers/trustingTask.ts";

const installation = useInstallation();
const dismissed = wayTo("initiator_not_entitled");

test.each(["begin", "midRun", "retry"] as const)(
  "a worker that trusts what was allowed at request goes on after a revocation, %s",
  async (moment) => {
    const { db, worker } = installation;
    const scene = await setScene(installation, { operation: "inventory.sync", mode: "actor_bound" });
    const trusting = makeTrustingTasks(worker);
    const { before } = await loseAuthority[moment](installation, scene, dismissed, trusting);
    expect(await countAsked(installation, scene)).toBeGreaterThan(before.asked);
    const written = await db.query("select 1 from inventory_items where tenant_id = $1", [scene.contoso.id]);
    expect(written).toHaveLength(3);
  },
);
