//! One contract, two databases: every test here runs on SQLite and on a real PostgreSQL.

mod agents;
mod bodies;
mod figures;
mod filters;
mod gaps;
mod memory;
mod merges;
mod reads;
mod reprice;
mod retention;
mod sample;
mod sums;
mod users;
mod writes;

use std::time::Duration;

use sqlx::Connection as _;
use tempfile::TempDir;
use trailgate::model::exchange::Exchange;
use trailgate::model::filter::Filter;
use trailgate::model::query::{CallQuery, Page, SessionQuery, Sort, SortKey, Start, Window, Written};
use trailgate::store::{Store, StoreOptions};

use crate::support::pg;

/// A migrated store on an empty database.
pub struct Bed {
    pub store: Store,
    pub options: StoreOptions,
    _dir: Option<TempDir>,
}

impl Bed {
    async fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self::on(format!("sqlite://{}", dir.path().join("t.db").display()), Some(dir)).await
    }

    async fn postgres() -> Self {
        Self::on(pg::database().await, None).await
    }

    async fn on(url: String, dir: Option<TempDir>) -> Self {
        let options = StoreOptions { url, max_read_connections: 4, statement_timeout: Duration::from_secs(60) };
        let store = Store::open(&options).await.unwrap();
        Self { store, options, _dir: dir }
    }

    /// An empty one of the same kind.
    pub async fn another(&self) -> Self {
        match self.store.backend() {
            "postgres" => Self::postgres().await.migrated().await,
            _ => Self::sqlite().await.migrated().await,
        }
    }

    async fn migrated(self) -> Self {
        self.store.migrate().await.unwrap();
        self
    }

    /// Statements past the store, for what it does not do itself.
    pub async fn execute(&self, sql: impl Into<String>) {
        let statements = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.into()));
        if self.store.backend() == "postgres" {
            statements.execute(&mut sqlx::PgConnection::connect(&self.options.url).await.unwrap()).await.unwrap();
        } else {
            statements.execute(&mut sqlx::SqliteConnection::connect(&self.options.url).await.unwrap()).await.unwrap();
        }
    }

    pub async fn write(&self, batch: &[Exchange]) -> Written {
        self.store.writer().await.unwrap().write(batch).await.unwrap()
    }
}

/// Runs each test on a migrated database of each kind.
macro_rules! contract {
    ($($name:path as $short:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $short() {
                $name(super::Bed::sqlite().await.migrated().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $short() {
                $name(super::Bed::postgres().await.migrated().await).await;
            })*
        }
    };
}

contract! {
    crate::store_contract::writes::a_replay_changes_nothing as a_replay_changes_nothing,
    crate::store_contract::writes::a_batch_with_known_calls_stores_the_others_once as a_batch_with_known_calls_stores_the_others_once,
    crate::store_contract::writes::a_proxied_call_with_a_used_id_gets_its_own as a_proxied_call_with_a_used_id_gets_its_own,
    crate::store_contract::writes::a_manual_log_with_a_used_id_is_lost_only_if_it_is_the_same as a_manual_log_with_a_used_id_is_lost_only_if_it_is_the_same,
    crate::store_contract::writes::hostile_values_are_kept as hostile_values_are_kept,
    crate::store_contract::writes::absurd_numbers_do_not_stop_a_session as absurd_numbers_do_not_stop_a_session,
    crate::store_contract::sums::absurd_calls_stay_readable as absurd_calls_stay_readable,
    crate::store_contract::sums::too_large_sums_are_repaired as too_large_sums_are_repaired,
    crate::store_contract::merges::two_calls_of_a_batch_in_a_merged_session as two_calls_of_a_batch_in_a_merged_session,
    crate::store_contract::merges::chains_of_merges as chains_of_merges,
    crate::store_contract::merges::roll_ups_equal_rows_after_merges as roll_ups_equal_rows_after_merges,
    crate::store_contract::retention::a_long_session_is_summed_once as a_long_session_is_summed_once,
    crate::store_contract::retention::what_calls_leave_elsewhere_goes as what_calls_leave_elsewhere_goes,
    crate::store_contract::retention::one_failure_stops_no_other as one_failure_stops_no_other,
    crate::store_contract::retention::a_jumped_clock_deletes_nothing as a_jumped_clock_deletes_nothing,
    crate::store_contract::retention::merges_and_deletion_at_once as merges_and_deletion_at_once,
    crate::store_contract::writes::roll_ups_equal_recomputation as roll_ups_equal_recomputation,
    crate::store_contract::writes::writers_share_sessions as writers_share_sessions,
    crate::store_contract::writes::replicas_with_the_same_records_store_each_once as replicas_with_the_same_records_store_each_once,
    crate::store_contract::writes::a_probe_leaves_nothing as a_probe_leaves_nothing,
    crate::store_contract::writes::dead_letters_are_kept_paged_and_released as dead_letters_are_kept_paged_and_released,
    crate::store_contract::writes::an_earlier_call_moves_its_session as an_earlier_call_moves_its_session,
    crate::store_contract::writes::a_big_batch as a_big_batch,
    crate::store_contract::writes::stores_that_start_together_migrate_once as stores_that_start_together_migrate_once,
    crate::store_contract::reads::bodies_come_back_exactly as bodies_come_back_exactly,
    crate::store_contract::reads::pages_of_sessions as pages_of_sessions,
    crate::store_contract::reads::pages_of_calls as pages_of_calls,
    crate::store_contract::reads::sorts_of_calls as sorts_of_calls,
    crate::store_contract::reads::windows_search_and_names as windows_search_and_names,
    crate::store_contract::reads::updates as updates,
    crate::store_contract::reads::another_organisation_sees_nothing as another_organisation_sees_nothing,
    crate::store_contract::reads::keys as keys,
    crate::store_contract::reprice::sums_follow_new_prices as sums_follow_new_prices,
    crate::store_contract::reprice::unfolded_paths_follow as unfolded_paths_follow,
    crate::store_contract::reprice::pages_end_and_other_organisations_stay as pages_end_and_other_organisations_stay,
    crate::store_contract::figures::hours_say_what_calls_say as hours_say_what_calls_say,
    crate::store_contract::figures::exact_percentiles as exact_percentiles,
    crate::store_contract::figures::properties_and_tools as properties_and_tools,
    crate::store_contract::figures::retention_leaves_true_roll_ups as retention_leaves_true_roll_ups,
    crate::store_contract::filters::calls_equal_the_model as calls_equal_the_model,
    crate::store_contract::filters::sessions_equal_the_model as sessions_equal_the_model,
    crate::store_contract::filters::every_operator_on_every_type as every_operator_on_every_type,
    crate::store_contract::filters::wide_and_deep_filters as wide_and_deep_filters,
    crate::store_contract::filters::scores as scores,
    crate::store_contract::filters::matching_in_a_crowd as matching_in_a_crowd,
    crate::store_contract::users::equal_the_model as users_equal_the_model,
    crate::store_contract::users::orders_and_pages as orders_and_pages_of_users,
    crate::store_contract::users::tenants_do_not_mix as users_of_tenants_do_not_mix,
    crate::store_contract::bodies::equal_the_model as bodies_equal_the_model,
    crate::store_contract::bodies::pages as pages_by_bodies,
    crate::store_contract::bodies::names as names_by_bodies,
    crate::store_contract::bodies::another_organisation_is_not_searched as another_organisation_is_not_searched,
    crate::store_contract::bodies::too_much_is_an_error as too_much_is_an_error,
    crate::store_contract::gaps::a_gap_is_counted_once_and_for_its_organisation as a_gap_is_counted_once_and_for_its_organisation,
    crate::store_contract::agents::conversations_are_sessions_in_any_order as conversations_are_sessions_in_any_order,
    crate::store_contract::agents::two_writers_find_the_same_sessions as two_writers_find_the_same_sessions,
    crate::store_contract::agents::one_call_alone_is_no_session as one_call_alone_is_no_session,
    crate::store_contract::agents::organisations_are_never_joined as organisations_are_never_joined,
    crate::store_contract::agents::ids_of_clients_win as ids_of_clients_win,
    crate::store_contract::agents::names_that_look_inferred_stay as names_that_look_inferred_stay,
    crate::store_contract::agents::the_same_beginning_does_not_join as the_same_beginning_does_not_join,
    crate::store_contract::agents::a_sub_agent_is_below_its_parent as a_sub_agent_is_below_its_parent,
    crate::store_contract::agents::tool_calls_find_their_results_in_any_order as tool_calls_find_their_results_in_any_order,
    crate::store_contract::agents::tools_have_figures as tools_have_figures,
    crate::store_contract::agents::retention_takes_what_tools_said as retention_takes_what_tools_said,
}

/// All sessions, newest first.
pub fn every_session(filter: Filter) -> SessionQuery {
    SessionQuery {
        filter,
        search: String::new(),
        name_equals: None,
        window: Window::default(),
        page: Page { limit: 1_000, start: Start::Offset(0) },
    }
}

/// All calls, newest first.
pub fn every_call(filter: Filter) -> CallQuery {
    CallQuery {
        filter,
        window: Window::default(),
        sort: Sort { by: SortKey::CreatedAt, descending: true },
        page: Page { limit: 1_000, start: Start::Offset(0) },
    }
}
