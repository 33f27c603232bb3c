//! Lifecycle policies: read, tried and carried out.

pub mod document;
pub mod select;

#[cfg(test)]
mod tests;
