//! The command line against a small server with canned answers in the IBM shapes.

mod cr;
mod iam;
mod policy;
mod profile;
mod session;
mod tutorial;
mod world;
