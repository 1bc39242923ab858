import type { Knex } from "knex";

/**
 * As before, but of the calls of which it is not known whether they were carried out, one for an administrative
 * template's settings is not intended again: made twice it is refused, as though it had never been carried out.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create or replace function effects_keep_their_history() returns trigger language plpgsql as $$
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
  `);
}

export { forwardOnly as down } from "../server/db/forwardOnly.ts";
