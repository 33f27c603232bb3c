//! The oracle: a second policy evaluator, slow and obviously right, against which the engine is compared.
//!
//! It is written straight from the documents (AWS's policy language and evaluation logic, IBM's access
//! policies) and shares no code with `src/policy`: no file here but the engine's adapter may name the crate.
//! Documents stay the JSON that users write and are walked anew for every question; nothing is compiled,
//! indexed or cached.

/// The published decision cases.
#[cfg(test)]
mod cases;
/// Engine against oracle, over many generated worlds.
#[cfg(test)]
mod compare;
/// Condition blocks: operators, quantifiers, absent keys.
#[cfg(test)]
mod condition;
/// The order of evaluation, and what it answers.
#[cfg(test)]
mod decide;
/// What the generators really produce.
#[cfg(test)]
mod distribution;
/// AWS documents: statements, actions, resources.
#[cfg(test)]
mod document;
/// The product's engine, held against the oracle.
#[cfg(test)]
mod engine;
/// Worlds and questions at random.
#[cfg(test)]
mod generate;
/// IBM access policies.
#[cfg(test)]
mod ibm;
/// Who a statement of a resource policy speaks of.
#[cfg(test)]
mod principal;
/// What holds for any evaluator, held against this one.
#[cfg(test)]
mod properties;
/// What conditions compare: numbers, instants, networks, bytes.
#[cfg(test)]
mod value;
/// `*`, `?` and policy variables.
#[cfg(test)]
mod wildcard;
/// What is asked, of whom, with which policies; and the answer.
#[cfg(test)]
mod world;
