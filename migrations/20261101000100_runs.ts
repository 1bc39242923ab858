import type { Knex } from "knex";

/**
 * Runs, decisions, effects. History outlives what it names: no foreign keys to users or tenants, so that a
 * deleted initiator is `initiator_missing` and never looks like a system run.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table operation_runs (
      id uuid primary key,
      workspace_id uuid not null,
      tenant_id uuid,
      tenant_name text,
      operation text not null,
      authority_mode text not null check (authority_mode in ('actor_bound', 'system_authority')),
      initiator_id uuid,
      initiator_name text,
      trigger text not null check (trigger in ('page', 'command')),
      request_key uuid,
      connection_id uuid,
      target jsonb not null,
      target_digest text not null,
      request_checks jsonb not null,
      status text not null check (status in ('queued', 'running', 'completed')),
      outcome text not null
        check (outcome in ('pending', 'succeeded', 'partially_succeeded', 'blocked', 'failed', 'cancelled')),
      reason_code text,
      denial_class text,
      waiting_reason text check (waiting_reason in ('hold')),
      attempt integer not null default 0 check (attempt >= 0),
      max_attempts integer not null check (max_attempts > 0),
      fencing_token bigint not null default 0 check (fencing_token >= 0),
      job_id text,
      progress_done integer not null default 0 check (progress_done >= 0),
      progress_total integer check (progress_total >= 0),
      tally jsonb not null default '{}',
      effects_done integer not null default 0 check (effects_done >= 0),
      failure_code text,
      failure_message text check (length(failure_message) <= 1000),
      last_error text check (length(last_error) <= 1000),
      repeats integer not null default 0 check (repeats >= 0),
      last_repeat_at timestamptz,
      expires_at timestamptz not null,
      requested_at timestamptz not null,
      started_at timestamptz,
      completed_at timestamptz,
      heartbeat_at timestamptz,
      next_attempt_at timestamptz,
      constraint runs_mode_names_initiator check ((authority_mode = 'actor_bound') = (initiator_id is not null)),
      constraint runs_outcome_iff_completed check ((outcome <> 'pending') = (status = 'completed')),
      constraint runs_completed_at_iff_completed check ((completed_at is not null) = (status = 'completed')),
      constraint runs_reason_iff_blocked
        check ((outcome = 'blocked') = (reason_code is not null) and (outcome = 'blocked') = (denial_class is not null)),
      constraint runs_failure_iff_failed check ((outcome = 'failed') = (failure_code is not null)),
      constraint runs_running_has_begun
        check (status <> 'running' or (started_at is not null and attempt > 0 and fencing_token > 0)),
      constraint runs_success_has_begun
        check (outcome not in ('succeeded', 'partially_succeeded') or started_at is not null),
      constraint runs_waiting_is_queued check (waiting_reason is null or status = 'queued')
    );
    comment on column operation_runs.job_id is 'the queue job that holds the present attempt';
    comment on column operation_runs.failure_message is 'what went wrong, for failed and partially succeeded runs';
    comment on column operation_runs.repeats is 'how often the system asked again and was denied for the same reason';
    create unique index runs_request_key on operation_runs (workspace_id, initiator_id, request_key)
      where request_key is not null;
    create index runs_workspace_idx on operation_runs (workspace_id, id desc);
    create index runs_workspace_status_idx on operation_runs (workspace_id, status, id desc);
    create index runs_workspace_outcome_idx on operation_runs (workspace_id, outcome, id desc);
    create index runs_workspace_operation_idx on operation_runs (workspace_id, operation, id desc);
    create index runs_tenant_idx on operation_runs (tenant_id, id desc);
    create index runs_open_by_tenant_idx on operation_runs (tenant_id, id) where status <> 'completed';
    create index runs_open_by_initiator_idx on operation_runs (initiator_id, id) where status <> 'completed';

    create table execution_decisions (
      id uuid primary key,
      run_id uuid not null references operation_runs,
      attempt integer not null,
      phase text not null check (phase in ('request', 'begin', 'checkpoint')),
      verdict text not null check (verdict in ('allowed', 'denied')),
      denial_class text,
      reason_code text,
      retryable boolean not null,
      checks jsonb not null,
      decided_at timestamptz not null,
      check ((verdict = 'denied') = (reason_code is not null) and (verdict = 'denied') = (denial_class is not null))
    );
    create index decisions_run_idx on execution_decisions (run_id, id);

    create table effects (
      run_id uuid not null references operation_runs,
      key text not null,
      fencing_token bigint not null,
      attempt integer,
      kind text not null check (kind in ('rows', 'provider')),
      state text not null check (state in ('done', 'in_flight', 'failed', 'unknown')),
      authority_keys bigint[] not null,
      epochs bigint[] not null check (cardinality(epochs) = cardinality(authority_keys)),
      valid_until timestamptz not null,
      deadline timestamptz,
      idempotency_key uuid,
      items integer not null default 0 check (items >= 0),
      summary jsonb not null default '{}',
      recorded_at timestamptz not null default clock_timestamp(),
      primary key (run_id, key),
      constraint effects_rows_are_done check (kind <> 'rows' or state = 'done'),
      constraint effects_provider_has_deadline
        check (kind <> 'provider' or (deadline is not null and deadline <= valid_until and idempotency_key is not null))
    );
    comment on column effects.attempt is 'set for effects keyed per attempt: a later attempt does not build on them';

    -- The counts of a run's effects that hold for every attempt, summed by name.
    create function tally_of_effects(of_run uuid) returns jsonb language sql stable as $$
      select coalesce(jsonb_object_agg(name, total), '{}') from (
        select c.key as name, sum(c.value::integer) as total
        from effects e cross join lateral jsonb_each_text(e.summary) as c
        where e.run_id = of_run and e.attempt is null group by c.key) as counted
    $$;

    -- What a run was asked to do, by whom and where never changes; what ended never starts again.
    create function runs_keep_their_history() returns trigger language plpgsql as $$
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
         (new.status, new.outcome, new.reason_code, new.attempt, new.fencing_token, new.tally, new.completed_at)
         is distinct from
         (old.status, old.outcome, old.reason_code, old.attempt, old.fencing_token, old.tally, old.completed_at)
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
    create trigger runs_keep_their_history before update on operation_runs
      for each row execute function runs_keep_their_history();
    alter table operation_runs enable always trigger runs_keep_their_history;
  `);
}

export { forwardOnly as down } from "../server/db/forwardOnly.ts";
