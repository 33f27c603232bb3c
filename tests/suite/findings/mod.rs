//! What scanners have found: reports come in by every way, are shown by every client, and stop pulls where policies say so.

mod gate;
mod many;
mod reports;
mod roads;
mod signed;
