//! Broadcast of committed calls to whoever watches.
