//! Tidy: the house rules that a compiler does not check, as tests.
//!
//! Each check reads the text of the tree and lists every violation with file, line and what to do; each also has a test
//! of its own on a small bad example, so that a check that stopped seeing anything fails. `tidy/table.rs` holds
//! the layers that ARCHITECTURE.md explains; change both together.

#[cfg(test)]
mod tidy {
    mod budget;
    mod layers;
    mod marks;
    mod names;
    mod shape;
    mod source;
    mod table;
}
