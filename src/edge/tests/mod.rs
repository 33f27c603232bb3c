//! The real server on a free port, with an application that echoes, against raw sockets and real clients.

mod application;
mod clients;
mod draining;
mod encrypted;
mod limits;
mod plain;
mod proxies;
