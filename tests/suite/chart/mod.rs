//! The chart: what it renders is what Kubernetes takes, what Portcullis takes, and no more than is needed.

mod modes;
mod refused;
mod rendered;
