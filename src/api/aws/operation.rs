//! Which operations there are: every name that a call can have, each with what answers it.

/// Defines the operations of a service: what they are called on the wire is what they are called here.
macro_rules! operations {
    ($(#[$doc:meta])* $service:ident, $prefix:literal: $($name:ident),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[expect(missing_docs, reason = "AWS's own names")]
        pub enum $service {
            $($name),+
        }

        impl $service {
            /// Every operation.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name)),+
                }
            }

            /// The name with its service, for logs and metrics.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($prefix, ":", stringify!($name))),+
                }
            }

            /// The operation of that name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.name() == name)
            }
        }
    };
}

pub(super) use operations;

use super::ecr::Ecr;
use super::iam::Iam;
use super::sts::Sts;
use super::unsigned::Unsigned;

/// What a call asks for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Operation {
    /// Elastic Container Registry.
    Ecr(Ecr),
    /// Identity and Access Management.
    Iam(Iam),
    /// Security Token Service.
    Sts(Sts),
    /// Security Token Service, without a signature.
    Unsigned(Unsigned),
}

impl Operation {
    /// Every operation.
    pub fn all() -> impl Iterator<Item = Self> {
        let ecr = Ecr::ALL.iter().copied().map(Self::Ecr);
        let iam = Iam::ALL.iter().copied().map(Self::Iam);
        let unsigned = Unsigned::ALL.iter().copied().map(Self::Unsigned);
        ecr.chain(iam).chain(Sts::ALL.iter().copied().map(Self::Sts)).chain(unsigned)
    }

    /// The name with its service, for logs and metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ecr(operation) => operation.label(),
            Self::Iam(operation) => operation.label(),
            Self::Sts(operation) => operation.label(),
            Self::Unsigned(operation) => operation.label(),
        }
    }

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ecr(operation) => operation.name(),
            Self::Iam(operation) => operation.name(),
            Self::Sts(operation) => operation.name(),
            Self::Unsigned(operation) => operation.name(),
        }
    }

    /// The service.
    #[must_use]
    pub const fn service(self) -> Service {
        match self {
            Self::Ecr(_) => Service::Ecr,
            Self::Iam(_) => Service::Iam,
            Self::Sts(_) | Self::Unsigned(_) => Service::Sts,
        }
    }
}

/// The services.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Service {
    /// Elastic Container Registry: JSON 1.1.
    Ecr,
    /// Identity and Access Management: Query.
    Iam,
    /// Security Token Service: Query.
    Sts,
}

impl Service {
    /// What signatures are made for.
    #[must_use]
    pub const fn signing_name(self) -> &'static str {
        match self {
            Self::Ecr => "ecr",
            Self::Iam => "iam",
            Self::Sts => "sts",
        }
    }

    /// The service that signatures with this name are made for.
    #[must_use]
    pub fn of_signing_name(name: &str) -> Option<Self> {
        [Self::Ecr, Self::Iam, Self::Sts].into_iter().find(|service| service.signing_name() == name)
    }

    /// The namespace of its XML; `None` where it speaks JSON.
    #[must_use]
    pub const fn namespace(self) -> Option<&'static str> {
        match self {
            Self::Ecr => None,
            Self::Iam => Some("https://iam.amazonaws.com/doc/2010-05-08/"),
            Self::Sts => Some("https://sts.amazonaws.com/doc/2011-06-15/"),
        }
    }

    /// The service of a Query call, by its `Version`.
    #[must_use]
    pub fn of_version(version: &str) -> Option<Self> {
        match version {
            "2010-05-08" => Some(Self::Iam),
            "2011-06-15" => Some(Self::Sts),
            _ => None,
        }
    }
}
