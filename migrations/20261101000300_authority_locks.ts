import type { Knex } from "knex";

/**
 * Keys, the shared side (runs) and the exclusive side (whatever changes authority). Handbook 2, "What works".
 * No function here has an EXCEPTION block: that would be a savepoint, and a lock taken in one can be lost.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create function authority_key(kind text, id uuid) returns bigint
      language sql immutable parallel safe strict
      return hashtextextended(kind || ':' || id::text, 5027411936);

    -- The coarsest key: every gate holds it, so any change may escalate to it.
    create function authority_installation_key() returns bigint
      language sql immutable parallel safe
      return hashtextextended('installation', 5027411936);

    create table authority_epochs (
      key bigint primary key,
      epoch bigint not null,
      xid xid8 not null
    );

    create function authority_keys_of(run operation_runs) returns bigint[]
      language sql immutable
      return array_remove(array[
        authority_installation_key(),
        authority_key('workspace', run.workspace_id),
        authority_key('user', run.initiator_id),
        authority_key('tenant', run.tenant_id),
        authority_key('connection', run.connection_id)
      ], null);

    create function authority_assert_isolation() returns void language plpgsql volatile as $$
    begin
      if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'authority needs READ COMMITTED: any other snapshot may be older than the lock'
          using errcode = '42501';
      end if;
    end $$;

    -- Shared side. VOLATILE, so that each statement inside and after sees what was committed before the lock.
    create function authority_share(keys bigint[]) returns void
      language plpgsql volatile set search_path = pg_catalog, public, pg_temp as $$
    declare
      k bigint;
    begin
      perform authority_assert_isolation();
      for k in select distinct u from unnest(keys) as u where u is not null order by u loop
        perform pg_advisory_xact_lock_shared(k);
      end loop;
    end $$;

    -- One order over all keys of both kinds: whoever needs some exclusive takes them so from the start.
    create function authority_lock(shared_keys bigint[], exclusive_keys bigint[]) returns void
      language plpgsql volatile set search_path = pg_catalog, public, pg_temp as $$
    declare
      k record;
    begin
      perform authority_assert_isolation();
      for k in
        select u as key, u = any (exclusive_keys) as exclusive
        from unnest(shared_keys || exclusive_keys) as u where u is not null group by u order by u
      loop
        if k.exclusive then
          perform pg_advisory_xact_lock(k.key);
        else
          perform pg_advisory_xact_lock_shared(k.key);
        end if;
      end loop;
    end $$;

    -- Locks for runs about to begin or to have an effect; \`exclusive\` names the kinds of key the operation changes.
    create function authority_lock_runs(run_ids uuid[], exclusive text[]) returns void
      language plpgsql volatile set search_path = pg_catalog, public, pg_temp as $$
    declare
      shared_keys bigint[];
      exclusive_keys bigint[];
    begin
      select array_agg(distinct k.key) into shared_keys
      from operation_runs r, unnest(authority_keys_of(r)) as k(key) where r.id = any (run_ids);
      select array_agg(distinct authority_key('connection', r.connection_id)) into exclusive_keys
      from operation_runs r where r.id = any (run_ids) and 'connection' = any (exclusive);
      perform authority_lock(coalesce(shared_keys, '{}'), coalesce(exclusive_keys, '{}'));
    end $$;

    -- Those of the keys that this transaction has not raised yet; a lock given back by a savepoint counts as not.
    create function authority_not_yet_raised(keys bigint[]) returns bigint[]
      language sql volatile set search_path = pg_catalog, public, pg_temp as $$
      select coalesce(array_agg(distinct u order by u), '{}') from unnest(keys) as u
      where u is not null and not exists (
        select 1 from authority_epochs e where e.key = u and e.xid = pg_current_xact_id())
    $$;

    -- Exclusive side, called by the triggers below: lock, then raise each key's epoch once per transaction.
    -- Beyond 500 keys it takes the coarser ones, which every gate holds too: lock memory is bounded.
    create function authority_raise(fine bigint[], coarse bigint[]) returns void
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
    end $$;

    create function authority_refuse_truncate() returns trigger language plpgsql as $$
    begin
      raise exception 'TRUNCATE would change authority without a trace: delete the rows instead'
        using errcode = '42501';
    end $$;
  `);
  for (const table of authorityTables) await knex.raw(fencesOf(table));
}

type AuthorityTable = { name: string; identity: string; fine: string; coarse: string };

/** \`fine\` and \`coarse\` come from a row's own columns only: a lookup of a deleted parent would leave a hole. */
const authorityTables: AuthorityTable[] = [
  {
    name: "workspaces",
    identity: "id",
    fine: "authority_key('workspace', id)",
    coarse: "authority_installation_key()",
  },
  {
    name: "users",
    identity: "id",
    fine: "authority_key('user', id)",
    coarse: "authority_installation_key()",
  },
  {
    name: "memberships",
    identity: "workspace_id, user_id",
    fine: "authority_key('user', user_id)",
    coarse: "authority_key('workspace', workspace_id)",
  },
  {
    name: "roles",
    identity: "id, workspace_id",
    fine: "authority_key('workspace', workspace_id)",
    coarse: "authority_key('workspace', workspace_id)",
  },
  {
    name: "role_assignments",
    identity: "id, workspace_id, user_id, tenant_id",
    fine: "authority_key('user', user_id)",
    coarse: "authority_key('workspace', workspace_id)",
  },
  {
    name: "tenants",
    identity: "id",
    fine: "authority_key('tenant', id)",
    coarse: "authority_key('workspace', workspace_id)",
  },
  {
    name: "tenant_holds",
    identity: "tenant_id",
    fine: "authority_key('tenant', tenant_id)",
    coarse: "authority_installation_key()",
  },
  {
    name: "provider_connections",
    identity: "id, tenant_id",
    fine: "authority_key('connection', id)",
    coarse: "authority_key('tenant', tenant_id)",
  },
];

function fencesOf({ name, identity, fine, coarse }: AuthorityTable): string {
  return `
    create function fence_${name}() returns trigger
      language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
    declare
      fine bigint[];
      coarse bigint[];
    begin
      if tg_op = 'INSERT' then
        select array_agg(distinct ${fine}), array_agg(distinct ${coarse}) into fine, coarse from new_rows;
      elsif tg_op = 'DELETE' then
        select array_agg(distinct ${fine}), array_agg(distinct ${coarse}) into fine, coarse from old_rows;
      else
        if exists (select ${identity} from new_rows except all select ${identity} from old_rows) then
          raise exception 'columns that authority keys derive from cannot be changed (${name}: ${identity})'
            using errcode = '42501';
        end if;
        select array_agg(distinct ${fine}), array_agg(distinct ${coarse}) into fine, coarse
        from (select * from old_rows union all select * from new_rows) as touched;
      end if;
      perform authority_raise(fine, coarse);
      return null;
    end $$;
    create trigger fence_insert after insert on ${name}
      referencing new table as new_rows for each statement execute function fence_${name}();
    create trigger fence_update after update on ${name}
      referencing old table as old_rows new table as new_rows for each statement execute function fence_${name}();
    create trigger fence_delete after delete on ${name}
      referencing old table as old_rows for each statement execute function fence_${name}();
    create trigger fence_truncate before truncate on ${name}
      for each statement execute function authority_refuse_truncate();
    alter table ${name} enable always trigger fence_insert;
    alter table ${name} enable always trigger fence_update;
    alter table ${name} enable always trigger fence_delete;
    alter table ${name} enable always trigger fence_truncate;
  `;
}

export { forwardOnly as down } from "../server/db/forwardOnly.ts";
