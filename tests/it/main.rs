//! Integration tests: the real binary, scripted upstreams, both databases, the real SDKs.

mod clients;
mod recordings_proxy;
mod support;
