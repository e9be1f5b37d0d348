//! What needs the inside of the store: that every statement is valid on the databases that it is for, and that futures can
//! move between threads. The contract suite in `tests/it` has the rest.

use std::time::Duration;

use sqlx::{Executor, SqlStr};

use super::compare::Backend;
use super::db::Db;
use super::{
    Store, StoreOptions, dead_letters, dialect, exchanges, figures, forget, gaps, keys, link, orgs, properties,
    reprice, retention, sessions, tools, updates, users, web_sessions,
};

#[path = "../../tests/it/support/pg.rs"]
mod pg;

const SHARED: [&[&str]; 15] = [
    dead_letters::STATEMENTS,
    exchanges::STATEMENTS,
    figures::STATEMENTS,
    forget::STATEMENTS,
    gaps::STATEMENTS,
    keys::STATEMENTS,
    orgs::STATEMENTS,
    properties::STATEMENTS,
    reprice::STATEMENTS,
    retention::STATEMENTS,
    sessions::STATEMENTS,
    tools::STATEMENTS,
    updates::STATEMENTS,
    users::STATEMENTS,
    web_sessions::STATEMENTS,
];

async fn migrated(url: String) -> Store {
    let options = StoreOptions { url, max_read_connections: 1, statement_timeout: Duration::from_secs(60) };
    let store = Store::open(&options).await.unwrap();
    store.migrate().await.unwrap();
    store
}

#[tokio::test]
async fn every_statement_is_valid_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let store = migrated(format!("sqlite://{}", dir.path().join("t.db").display())).await;
    let Db::Sqlite(side) = &*store.db else { panic!("another database") };
    let bulk = dialect::sqlite::statements().into_iter().chain([dialect::hours::sqlite_statement()]);
    let bulk = bulk.chain(dialect::agents::statements(Backend::Sqlite));
    for sql in SHARED.concat().into_iter().chain(bulk).chain(orgs::SIZES[..1].iter().copied()) {
        let prepared = (&side.read()).prepare(SqlStr::from_static(sql)).await;
        assert!(prepared.is_ok(), "{sql}: {:?}", prepared.err());
    }
}

#[tokio::test]
async fn every_statement_is_valid_on_postgres() {
    let store = migrated(pg::database().await).await;
    let agents = dialect::agents::statements(Backend::Postgres);
    let Db::Postgres(side) = &*store.db else { panic!("another database") };
    let own = [dialect::postgres::STATEMENTS, dialect::hours::POSTGRES_STATEMENTS, link::STATEMENTS, &orgs::SIZES[1..]]
        .concat();
    for sql in SHARED.concat().into_iter().chain(own).chain(agents) {
        let prepared = (&side.read()).prepare(SqlStr::from_static(sql)).await;
        assert!(prepared.is_ok(), "{sql}: {:?}", prepared.err());
    }
}

#[expect(dead_code, reason = "compiling it is the test: handlers and tasks need futures that can move between threads")]
fn futures_are_send(store: &super::Store, row: &crate::model::query::KeyRow) {
    use crate::model::id::{OrgId, RequestId};
    fn send(_: impl Send) {}
    let id = RequestId::generate();
    send(store.ping());
    send(store.migrate());
    send(store.writer());
    send(store.close());
    send(store.session(OrgId::DEFAULT, "s"));
    send(store.session_calls(OrgId::DEFAULT, "s", 1));
    send(store.call(OrgId::DEFAULT, id));
    send(store.set_score(OrgId::DEFAULT, id, "n", 1.0));
    send(store.insert_key(row, &[0; 32]));
    send(store.insert_first_key(row, &[0; 32]));
    send(store.keys(OrgId::DEFAULT));
    send(store.property_values(OrgId::DEFAULT, "k", "", 1));
    send(store.calls_to_price(OrgId::DEFAULT, (crate::model::units::Micros(0), id), 1));
    send(store.set_prices(OrgId::DEFAULT, &[]));
    send(store.set_session_tag(OrgId::DEFAULT, "s", "t"));
    send(store.set_session_feedback(OrgId::DEFAULT, "s", true));
    send(store.dead_letters(OrgId::DEFAULT, None, 1));
    send(store.drop_dead_letter(OrgId::DEFAULT, crate::model::id::RecordId::generate()));
    send(store.web_session(&[0; 32]));
    send(store.sparks(OrgId::DEFAULT, &[], 4));
    send(store.delete_calls_before(OrgId::DEFAULT, crate::model::units::Micros(0)));
}
