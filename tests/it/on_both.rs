//! Each test of a list on SQLite and on PostgreSQL: `on_both!(a, b)` runs `a(Backend)` and `b(Backend)` as two tests each.

macro_rules! on_both {
    ($($test:ident),* $(,)?) => {$(
        mod $test {
            use super::Backend;

            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                super::$test(Backend::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                super::$test(Backend::Postgres).await;
            }
        }
    )*};
}
