//! The twenty cases that must hold from the first release.

mod forge;
mod people;
mod scene;
mod second;
mod wire;

mod mounts;
mod oracles;
mod paths;
mod revocation;
mod routes;
mod scopes;
mod tokens;
mod uploads;
