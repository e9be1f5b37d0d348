//! Nothing here yet needs a database server; the contract suite in `tests/it` runs on both.

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
    send(store.set_session_tag(OrgId::DEFAULT, "s", "t"));
    send(store.set_session_feedback(OrgId::DEFAULT, "s", true));
}
