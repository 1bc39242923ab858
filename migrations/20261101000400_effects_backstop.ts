import type { Knex } from "knex";

/**
 * The last line: a commit that holds an effect is refused unless its authority still stands. It asks again
 * what the gate asked, from the database's own side, so that a forgotten gate, a gate in a rolled-back
 * savepoint, a stale attempt or a lapsed assignment cannot commit (handbook 2, "Backstop").
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create function effects_backstop() returns trigger
      language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
    declare
      this_xid constant xid8 := pg_current_xact_id();
      pass jsonb := nullif(current_setting('countersign.pass', true), '')::jsonb;
      run operation_runs;
    begin
      perform authority_assert_isolation();
      if pass is null
        or pass ->> 'xid' is distinct from this_xid::text
        or pass ->> 'run' is distinct from new.run_id::text
        or pass ->> 'token' is distinct from new.fencing_token::text
      then
        raise exception 'effect % has no pass: no gate allowed it in this transaction', new.key
          using errcode = '42501';
      end if;
      -- Again, in case the gate's locks went with a savepoint; nothing is looked at before they are held.
      perform authority_share(new.authority_keys);
      select * into run from operation_runs where id = new.run_id;
      if run.status is distinct from 'running' or run.fencing_token is distinct from new.fencing_token then
        raise exception 'effect % carries the token of an attempt that has ended', new.key using errcode = '42501';
      end if;
      if not new.authority_keys @> authority_keys_of(run) then
        raise exception 'effect % does not hold the keys of its run', new.key using errcode = '42501';
      end if;
      if exists (
        select 1
        from unnest(new.authority_keys, new.epochs) as seen (key, epoch)
        left join authority_epochs e on e.key = seen.key
        where coalesce(e.epoch, 0) <> seen.epoch
          and not (e.xid = this_xid and jsonb_exists(pass -> 'exclusive', seen.key::text))
      ) then
        raise exception 'authority moved before effect % was committed', new.key using errcode = '42501';
      end if;
      if clock_timestamp() >= new.valid_until then
        raise exception 'the authority for effect % ended while it was under way', new.key
          using errcode = '42501';
      end if;
      return null;
    end $$;
    create constraint trigger effects_backstop after insert on effects
      deferrable initially deferred for each row execute function effects_backstop();
    alter table effects enable always trigger effects_backstop;
  `);
}

export { forwardOnly as down } from "../server/db/forwardOnly.ts";
