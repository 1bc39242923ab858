import type { Knex } from "knex";

/**
 * Provider writes as two short transactions around a call (handbook 2, "Provider writes"): an effect is
 * intended (\`in_flight\`, with the pass that any effect needs), then settled, which needs none: what has
 * happened is recorded also when the authority for it has gone since.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table effects add column intent jsonb,
      add column provider_id text,
      add column request_id text,
      add column reason text check (length(reason) <= 1000),
      add column settled_at timestamptz,
      add constraint effects_provider_has_intent check ((kind = 'provider') = (intent is not null)),
      add constraint effects_settled_iff_ended
        check (kind <> 'provider' or (state = 'in_flight') = (settled_at is null));
    create index effects_in_flight_idx on effects (deadline) where state = 'in_flight';
    create index effects_unsettled_idx on effects (run_id, key) where state in ('in_flight', 'unknown');

    -- Two sets of counts by name, added up.
    create function summed(a jsonb, b jsonb) returns jsonb language sql immutable as $$
      select a || coalesce(jsonb_object_agg(c.key, coalesce((a ->> c.key)::integer, 0) + c.value::integer), '{}')
      from jsonb_each_text(b) as c
    $$;

    -- What was done stays done. A call that failed may be intended again; one of which nothing is known only where
    -- twice is as good as once (an object is made or taken away once, a template's settings are refused the second
    -- time). What was read back as failed is done when its own worker brings the provider's answer after all.
    create function effects_keep_their_history() returns trigger language plpgsql as $$
    begin
      if (new.run_id, new.key, new.kind) is distinct from (old.run_id, old.key, old.kind) then
        raise exception 'effect % cannot become another', old.key using errcode = '42501';
      end if;
      -- What it counted for is added in the transaction that settles it.
      if new.state = old.state and old.kind = 'provider' and new.state <> 'in_flight' then
        return new;
      end if;
      if not (old.kind = 'provider' and (
        (old.state = 'in_flight' and new.state in ('done', 'failed', 'unknown'))
        or (old.state = 'unknown' and new.state in ('done', 'failed'))
        or (old.state = 'unknown' and new.state = 'in_flight'
          and old.intent ->> 'action' in ('update', 'actions', 'assign'))
        or (old.state = 'failed' and new.state in ('in_flight', 'done'))))
      then
        raise exception 'effect % cannot go from % to %', old.key, old.state, new.state using errcode = '42501';
      end if;
      if new.state <> 'in_flight' and
        (new.fencing_token, new.authority_keys, new.epochs, new.deadline, new.idempotency_key, new.intent)
        is distinct from
        (old.fencing_token, old.authority_keys, old.epochs, old.deadline, old.idempotency_key, old.intent)
      then
        raise exception 'settling effect % may only say how it ended', old.key using errcode = '42501';
      end if;
      return new;
    end $$;
    create trigger effects_keep_their_history before update on effects
      for each row execute function effects_keep_their_history();
    alter table effects enable always trigger effects_keep_their_history;

    create constraint trigger effects_backstop_again after update on effects
      deferrable initially deferred for each row when (new.state = 'in_flight')
      execute function effects_backstop();
    alter table effects enable always trigger effects_backstop_again;

    -- As text, not parsed: PostgreSQL 15 alters no table whose row type the parsed body of a function uses.
    create or replace function authority_keys_of(run operation_runs) returns bigint[]
      language sql immutable as $$
      select array_remove(array[
        authority_installation_key(),
        authority_key('workspace', run.workspace_id),
        authority_key('user', run.initiator_id),
        authority_key('tenant', run.tenant_id),
        authority_key('connection', run.connection_id)
      ], null)
    $$;

    alter table operation_runs add column backup_set_id uuid,
      add column writes_provider boolean not null default false,
      add column effects_unsettled integer not null default 0 check (effects_unsettled >= 0),
      drop constraint operation_runs_waiting_reason_check,
      add constraint runs_waiting_reason check (waiting_reason in ('hold', 'turn'));
    comment on column operation_runs.backup_set_id is 'the set a restore takes its items from';
    comment on column operation_runs.writes_provider is 'one such run per tenant at a time';
    create unique index runs_one_write_at_a_time on operation_runs (tenant_id)
      where status = 'running' and writes_provider;
    create index runs_open_writes_idx on operation_runs (tenant_id, id)
      where status <> 'completed' and writes_provider;
    create index runs_waiting_turn_idx on operation_runs (tenant_id, id) where waiting_reason = 'turn';
    create index runs_running_idx on operation_runs (heartbeat_at) where status = 'running';

    create or replace function authority_keys_of(run operation_runs) returns bigint[]
      language sql immutable as $$
      select array_remove(array[
        authority_installation_key(),
        authority_key('workspace', run.workspace_id),
        authority_key('user', run.initiator_id),
        authority_key('tenant', run.tenant_id),
        authority_key('connection', run.connection_id),
        authority_key('backup', run.backup_set_id)
      ], null)
    $$;

    -- A revocation finds what it raised.
    create index authority_epochs_xid_idx on authority_epochs (xid);

    -- Not an authority key: who writes at a tenant next is decided under it.
    create function write_turn_key(tenant uuid) returns bigint
      language sql immutable parallel safe strict
      return hashtextextended('turn:' || tenant::text, 5027411936);

    -- As before, but how a call that was under way ended may be learned after its run has.
    create or replace function runs_keep_their_history() returns trigger language plpgsql as $$
    begin
      if (new.id, new.workspace_id, new.tenant_id, new.operation, new.authority_mode, new.initiator_id,
          new.connection_id, new.target_digest, new.requested_at, new.request_key)
        is distinct from
         (old.id, old.workspace_id, old.tenant_id, old.operation, old.authority_mode, old.initiator_id,
          old.connection_id, old.target_digest, old.requested_at, old.request_key)
        or new.target <> old.target
      then
        raise exception 'the request of run % cannot be changed', old.id using errcode = '42501';
      end if;
      if old.status = 'completed' and
         ((new.status, new.outcome, new.reason_code, new.attempt, new.fencing_token, new.completed_at)
          is distinct from
          (old.status, old.outcome, old.reason_code, old.attempt, old.fencing_token, old.completed_at)
          or (new.tally <> old.tally and old.effects_unsettled = 0))
      then
        raise exception 'run % has ended', old.id using errcode = '42501';
      end if;
      if old.started_at is not null and new.started_at is distinct from old.started_at then
        raise exception 'the start of run % cannot be changed', old.id using errcode = '42501';
      end if;
      if new.fencing_token < old.fencing_token then
        raise exception 'the fencing token of run % cannot go back', old.id using errcode = '42501';
      end if;
      return new;
    end $$;

    create function runs_keep_their_frozen_source() returns trigger language plpgsql as $$
    begin
      if (new.backup_set_id, new.writes_provider) is distinct from (old.backup_set_id, old.writes_provider) then
        raise exception 'the request of run % cannot be changed', old.id using errcode = '42501';
      end if;
      return new;
    end $$;
    create trigger runs_keep_their_frozen_source before update of backup_set_id, writes_provider on operation_runs
      for each row execute function runs_keep_their_frozen_source();
    alter table operation_runs enable always trigger runs_keep_their_frozen_source;

    alter table provider_connections add column approval_required text check (length(approval_required) <= 500);
    comment on column provider_connections.approval_required is
      'why the tenant asks somebody to approve before we may write; a verification clears it';

    -- The graphile workers of the pool, to unlock their jobs should it die.
    alter table worker_pools add column worker_ids text[] not null default '{}',
      add column lost_at timestamptz;
    create index worker_pools_alive_idx on worker_pools (last_heartbeat_at) where stopped_at is null and lost_at is null;

    -- Taking a set away fences; adding one takes nothing from anybody. Coarser than the set's own key is only its
    -- workspace's: a restore to another tenant does not hold the key of the tenant that the set is of.
    create function fence_backup_sets() returns trigger
      language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
    declare
      fine bigint[];
      coarse bigint[];
    begin
      select array_agg(distinct authority_key('backup', id)), array_agg(distinct authority_key('workspace', workspace_id))
      into fine, coarse from old_rows;
      perform authority_raise(fine, coarse);
      return null;
    end $$;
    create function backup_sets_do_not_change() returns trigger language plpgsql as $$
    begin
      raise exception 'columns that authority keys derive from cannot be changed (backup_sets)'
        using errcode = '42501';
    end $$;
    create trigger fence_update before update on backup_sets
      for each statement execute function backup_sets_do_not_change();
    create trigger fence_delete after delete on backup_sets
      referencing old table as old_rows for each statement execute function fence_backup_sets();
    create trigger fence_truncate before truncate on backup_sets
      for each statement execute function authority_refuse_truncate();
    alter table backup_sets enable always trigger fence_update;
    alter table backup_sets enable always trigger fence_delete;
    alter table backup_sets enable always trigger fence_truncate;
  `);
  await knex.raw(raiseThatNotifies);
}

/**
 * As before, and tells workers to look again. The payload is empty so that PostgreSQL folds all of one
 * transaction into one notice; it is a hint, the locks are the guarantee.
 */
const raiseThatNotifies = `
  create or replace function authority_raise(fine bigint[], coarse bigint[]) returns void
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
  declare
    this_xid constant xid8 := pg_current_xact_id();
    raised jsonb := nullif(current_setting('countersign.raised', true), '')::jsonb;
    pass jsonb := nullif(current_setting('countersign.pass', true), '')::jsonb;
    taken integer := case when raised ->> 'xid' = this_xid::text then (raised ->> 'taken')::integer else 0 end;
    chosen bigint[] := authority_not_yet_raised(fine);
    k bigint;
  begin
    if taken + cardinality(chosen) > 500 then
      chosen := authority_not_yet_raised(coarse);
      if taken + cardinality(chosen) > 1000 then
        chosen := authority_not_yet_raised(array[authority_installation_key()]);
      end if;
    end if;
    foreach k in array chosen loop
      if pass ->> 'xid' = this_xid::text and not jsonb_exists(pass -> 'exclusive', k::text) then
        raise exception 'an effect may change only the authority its operation declares'
          using errcode = '42501';
      end if;
      perform pg_advisory_xact_lock(k);
    end loop;
    insert into authority_epochs as e (key, epoch, xid)
    select u, 1, this_xid from unnest(chosen) as u
    on conflict (key) do update set epoch = e.epoch + 1, xid = excluded.xid where e.xid <> excluded.xid;
    perform set_config('countersign.raised',
      jsonb_build_object('xid', this_xid::text, 'taken', taken + cardinality(chosen))::text, true);
    if cardinality(chosen) > 0 then
      perform pg_notify('authority_changed', '');
    end if;
  end $$;
  -- Only the triggers call it, as their owner: anybody else could make revocations collide.
  revoke execute on function authority_raise(bigint[], bigint[]) from public;
`;

export { forwardOnly as down } from "../server/db/forwardOnly.ts";
