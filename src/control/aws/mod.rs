//! Use cases of AWS's APIs, one folder per service.
//!
//! Each asks [`super::Authority::permit_aws`] before it reads or writes on the caller's behalf. The words come in parsed; a
//! [`problem::AwsProblem`] has the code and the message that AWS gives for what cannot be done.

pub mod ecr;
pub mod iam;
pub mod problem;
pub mod sts;

use crate::admit::fault::Fault;
use crate::admit::permit::{AwsControl, Permit};
use crate::policy::table::{ActionId, product};
use problem::AwsProblem;

/// What came of a use case, and the permit that it was done under.
#[derive(Debug)]
pub struct AwsDone<T> {
    /// What the caller asked for.
    pub value: T,
    /// Why it was allowed, for the audit.
    pub permit: Permit<AwsControl>,
}

impl<T> AwsDone<T> {
    /// It was done under this permit.
    #[must_use]
    pub const fn new(value: T, permit: Permit<AwsControl>) -> Self {
        Self { value, permit }
    }

    /// The same, put in another form.
    #[must_use]
    pub fn map<U>(self, shape: impl FnOnce(T) -> U) -> AwsDone<U> {
        AwsDone { value: shape(self.value), permit: self.permit }
    }
}

/// An action of the product's table.
fn action(name: &'static str) -> Result<ActionId, AwsProblem> {
    product().find(name).ok_or_else(|| AwsProblem::Fault(Fault::Internal(format!("no action {name}"))))
}
