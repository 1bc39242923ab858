import type { Knex } from "knex";

/** How a run is cancelled, asked for again and set aside, and what its list can be narrowed by. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table operation_runs add column cancel_requested_at timestamptz,
      add column cancelled_by uuid,
      add column cancelled_by_name text,
      add column rerun_of uuid,
      add column dismissed_at timestamptz,
      add column dismissed_by uuid,
      add column dismissed_by_name text,
      add constraint runs_cancelled_by_somebody check ((cancel_requested_at is null) = (cancelled_by_name is null)),
      add constraint runs_dismissed_by_somebody check ((dismissed_at is null) = (dismissed_by_name is null)),
      add constraint runs_dismissed_is_blocked check (dismissed_at is null or outcome = 'blocked');
    comment on column operation_runs.cancel_requested_at is
      'somebody asked to cancel it: it has no effect that the gate allowed later';
    comment on column operation_runs.rerun_of is 'the run that was asked for again; history may outlive it';
    comment on column operation_runs.dismissed_at is 'set aside: it no longer stands in needs attention';

    -- What was asked for again, and who asked to cancel, never changes; what has ended cannot be cancelled.
    create function runs_keep_their_life() returns trigger language plpgsql as $$
    begin
      if new.rerun_of is distinct from old.rerun_of then
        raise exception 'the request of run % cannot be changed', old.id using errcode = '42501';
      end if;
      if (old.cancel_requested_at is not null or old.status = 'completed') and
         (new.cancel_requested_at, new.cancelled_by, new.cancelled_by_name)
         is distinct from (old.cancel_requested_at, old.cancelled_by, old.cancelled_by_name)
      then
        raise exception 'run % has ended or is being cancelled', old.id using errcode = '42501';
      end if;
      return new;
    end $$;
    create trigger runs_keep_their_life
      before update of rerun_of, cancel_requested_at, cancelled_by, cancelled_by_name on operation_runs
      for each row execute function runs_keep_their_life();
    alter table operation_runs enable always trigger runs_keep_their_life;

    create index runs_reruns_idx on operation_runs (rerun_of, id desc) where rerun_of is not null;
    create index runs_open_by_digest_idx on operation_runs (target_digest) where status <> 'completed';

    -- The filters of the list that had none.
    create index runs_workspace_reason_idx on operation_runs (workspace_id, reason_code, id desc)
      where reason_code is not null;
    create index runs_workspace_initiator_idx on operation_runs (workspace_id, initiator_id, id desc);
    create index runs_workspace_trigger_idx on operation_runs (workspace_id, trigger, id desc)
      where trigger <> 'page';

    -- The first time-ordered id (UUIDv7) of a moment, to narrow lists by date along their own order.
    create function oldest_id_at(moment timestamptz) returns uuid language sql immutable parallel safe strict
      return (lpad(to_hex(greatest(0, floor(extract(epoch from moment) * 1000))::bigint), 12, '0')
        || repeat('0', 20))::uuid;

    -- Where a blocked run stands among its like: at its tenant, or with who asked for one without a tenant.
    create index runs_attention_idx on operation_runs
      (workspace_id, coalesce(tenant_id, initiator_id, workspace_id), operation, reason_code, id desc)
      where outcome = 'blocked' and dismissed_at is null;
    create index runs_success_idx on operation_runs
      (workspace_id, coalesce(tenant_id, initiator_id, workspace_id), operation, completed_at desc)
      where outcome = 'succeeded';
  `);
}

export { forwardOnly as down } from "../server/db/forwardOnly.ts";
