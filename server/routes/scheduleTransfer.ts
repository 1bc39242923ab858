import { z } from "zod";
import type { Reader } from "../db/database.ts";
import { may, type Viewer } from "../domain/authority/viewer.ts";
import { scheduleName } from "../domain/schedules/describeSchedule.ts";
import { listSchedulesNamed } from "../domain/schedules/listSchedulesFor.ts";
import { listStewards } from "../domain/schedules/listStewards.ts";
import { Id } from "../http/ids.ts";
import type { Problems } from "./tried.ts";

const Chosen = z.preprocess(
  (sent) => (sent === undefined ? [] : [sent].flat()),
  z.array(z.unknown()).transform((sent) => sent.flatMap((id) => Id.safeParse(id).data ?? [])),
);

const Form = z.object({ schedule: Chosen, steward: Id.nullable().catch(null) });

export type SentTransfer = z.infer<typeof Form>;

export function parseTransfer(sent: unknown): SentTransfer {
  return Form.parse(sent ?? {});
}

export type TransferPage = {
  schedules: { id: string; name: string; steward: string }[];
  /** Chosen ones that the viewer may see but not change. */
  left: number;
  stewards: { value: string; label: string; isSelected: boolean }[];
  problem: string | null;
};

/** Which schedules would get a new steward, and who it could be. */
export async function readTransferPage(
  reader: Reader,
  viewer: Viewer,
  sent: SentTransfer,
  problems: Problems,
): Promise<TransferPage> {
  const chosen = await listSchedulesNamed(reader, viewer, sent.schedule);
  const changeable = chosen.filter(({ tenantId }) => may(viewer, "schedule.manage", tenantId));
  const stewards = await listStewards(reader, viewer);
  const selected = sent.steward ?? viewer.user.id;
  return {
    schedules: changeable.map((schedule) => ({
      id: schedule.id,
      name: scheduleName(schedule),
      steward: schedule.stewardName,
    })),
    left: chosen.length - changeable.length,
    stewards: stewards.map(({ id, name }) => ({ value: id, label: name, isSelected: id === selected })),
    problem: Object.keys(problems).length === 0 ? null : Object.values(problems).join(" "),
  };
}
