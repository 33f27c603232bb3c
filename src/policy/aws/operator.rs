//! The condition operators, as a closed set, and how their names are put together. It never compares anything.

/// What kind of values an operator compares.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Family {
    /// Six colon-separated segments, each with wildcards.
    Arn,
    /// Base64 of the same bytes.
    Binary,
    /// `true` or `false`, in any case.
    Bool,
    /// ISO 8601 or seconds since the epoch.
    Date,
    /// An address or a CIDR.
    Ip,
    /// Whether the key is absent.
    Null,
    /// Whole or decimal numbers.
    Numeric,
    /// Text.
    String,
}

/// Declares the operators: name, family, whether it is negated, whether `*` and `?` are wildcards.
macro_rules! operators {
    ($($name:ident: $family:ident $negated:literal $wildcards:literal,)*) => {
        /// A condition operator, without prefix and suffix.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[expect(missing_docs, reason = "each is AWS's operator of that name")]
        pub enum Operator { $($name,)* }

        impl Operator {
            /// Every operator, alphabetically.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name in documents.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// What kind of values it compares.
            #[must_use]
            pub const fn family(self) -> Family {
                match self { $(Self::$name => Family::$family,)* }
            }

            /// Whether it holds when no value matches, and when the key is missing.
            #[must_use]
            pub const fn is_negated(self) -> bool {
                match self { $(Self::$name => $negated,)* }
            }

            /// Whether `*` and `?` in its values are wildcards.
            #[must_use]
            pub const fn has_wildcards(self) -> bool {
                match self { $(Self::$name => $wildcards,)* }
            }
        }
    };
}

operators! {
    ArnEquals: Arn false true,
    ArnLike: Arn false true,
    ArnNotEquals: Arn true true,
    ArnNotLike: Arn true true,
    BinaryEquals: Binary false false,
    Bool: Bool false false,
    DateEquals: Date false false,
    DateGreaterThan: Date false false,
    DateGreaterThanEquals: Date false false,
    DateLessThan: Date false false,
    DateLessThanEquals: Date false false,
    DateNotEquals: Date true false,
    IpAddress: Ip false false,
    NotIpAddress: Ip true false,
    Null: Null false false,
    NumericEquals: Numeric false false,
    NumericGreaterThan: Numeric false false,
    NumericGreaterThanEquals: Numeric false false,
    NumericLessThan: Numeric false false,
    NumericLessThanEquals: Numeric false false,
    NumericNotEquals: Numeric true false,
    StringEquals: String false false,
    StringEqualsIgnoreCase: String false false,
    StringLike: String false true,
    StringNotEquals: String true false,
    StringNotEqualsIgnoreCase: String true false,
    StringNotLike: String true true,
}

impl Operator {
    /// Whether `${…}` in its values are variables.
    #[must_use]
    pub const fn has_variables(self) -> bool {
        match self.family() {
            Family::Arn | Family::Bool | Family::String => true,
            Family::Binary | Family::Date | Family::Ip | Family::Null | Family::Numeric => false,
        }
    }
}

/// How a key with several values is compared.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Qualifier {
    /// Each value of the request must fit; true for none.
    ForAllValues,
    /// One value of the request must fit; false for none.
    ForAnyValue,
}

/// A name as it stands in a `Condition` block: `ForAllValues:StringEqualsIfExists`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Comparison {
    /// The prefix.
    pub qualifier: Option<Qualifier>,
    /// The operator itself.
    pub operator: Operator,
    /// The suffix `IfExists`: true when the key is missing.
    pub if_exists: bool,
}

impl Comparison {
    /// Parses a name; upper and lower case matter. `Null` takes no `IfExists`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (qualifier, rest) = match name.split_once(':') {
            Some(("ForAllValues", rest)) => (Some(Qualifier::ForAllValues), rest),
            Some(("ForAnyValue", rest)) => (Some(Qualifier::ForAnyValue), rest),
            Some(_) => return None,
            None => (None, name),
        };
        let bare = rest.strip_suffix("IfExists");
        let wanted = bare.unwrap_or(rest);
        let operator = Operator::ALL.iter().copied().find(|operator| operator.name() == wanted)?;
        let if_exists = bare.is_some();
        (!if_exists || operator != Operator::Null).then_some(Self { qualifier, operator, if_exists })
    }
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.qualifier {
            Some(Qualifier::ForAllValues) => "ForAllValues:",
            Some(Qualifier::ForAnyValue) => "ForAnyValue:",
            None => "",
        })?;
        f.write_str(self.operator.name())?;
        f.write_str(if self.if_exists { "IfExists" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::{Comparison, Operator, Qualifier};

    #[test]
    fn names_are_taken_apart() {
        for operator in Operator::ALL.iter().copied() {
            let plain = Comparison { qualifier: None, operator, if_exists: false };
            assert_eq!(Comparison::parse(operator.name()), Some(plain));
            assert_eq!(operator.is_negated(), operator.name().contains("Not"), "{operator:?}");
        }
        let full = Comparison::parse("ForAnyValue:StringNotLikeIfExists").unwrap();
        assert_eq!(full.qualifier, Some(Qualifier::ForAnyValue));
        assert_eq!((full.operator, full.if_exists), (Operator::StringNotLike, true));
        for name in ["ForAnyValue:StringNotLikeIfExists", "ForAllValues:Bool", "Null"] {
            assert_eq!(Comparison::parse(name).unwrap().to_string(), name);
        }
    }

    #[test]
    fn anything_else_is_no_operator() {
        for name in [
            "",
            "stringEquals",
            "StringEqualsifexists",
            "IfExists",
            "StringEqualsIfExistsIfExists",
            "NullIfExists",
            "ForAnyValue::StringEquals",
            "ForSomeValue:StringEquals",
            "ForAllValues:",
            "ForAllValues:ForAnyValue:StringEquals",
            " StringEquals",
        ] {
            assert_eq!(Comparison::parse(name), None, "{name}");
        }
    }
}
