//! Nothing here yet needs a database server; the contract suite in `tests/it` runs on both.
