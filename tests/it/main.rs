//! Integration tests: the real binary, scripted upstreams, both databases, the real SDKs.

mod clients;
mod proxy_bytes;
mod proxy_ends;
mod recordings_proxy;
mod recordings_wire;
mod support;
