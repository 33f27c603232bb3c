//! What can be bound to a statement.

/// A value on its way into a statement.
#[derive(Debug)]
pub(in crate::store) enum Value {
    Bytes(Option<Vec<u8>>),
    Integer(Option<i64>),
    Text(Option<String>),
    Truth(Option<bool>),
}

/// What can be bound.
pub(in crate::store) trait Bind {
    fn value(self) -> Value;
}

impl Bind for Value {
    fn value(self) -> Value {
        self
    }
}

impl Bind for bool {
    fn value(self) -> Value {
        Value::Truth(Some(self))
    }
}

impl Bind for i64 {
    fn value(self) -> Value {
        Value::Integer(Some(self))
    }
}

impl Bind for u8 {
    fn value(self) -> Value {
        Value::Integer(Some(self.into()))
    }
}

impl Bind for u32 {
    fn value(self) -> Value {
        Value::Integer(Some(self.into()))
    }
}

impl Bind for Option<i64> {
    fn value(self) -> Value {
        Value::Integer(self)
    }
}

impl Bind for Option<u32> {
    fn value(self) -> Value {
        Value::Integer(self.map(i64::from))
    }
}

impl Bind for String {
    fn value(self) -> Value {
        Value::Text(Some(self))
    }
}

impl Bind for Option<String> {
    fn value(self) -> Value {
        Value::Text(self)
    }
}

impl Bind for &str {
    fn value(self) -> Value {
        Value::Text(Some(self.to_owned()))
    }
}

impl Bind for &String {
    fn value(self) -> Value {
        Value::Text(Some(self.clone()))
    }
}

impl Bind for Option<&str> {
    fn value(self) -> Value {
        Value::Text(self.map(str::to_owned))
    }
}

impl Bind for Option<&String> {
    fn value(self) -> Value {
        Value::Text(self.cloned())
    }
}

impl Bind for &Option<String> {
    fn value(self) -> Value {
        Value::Text(self.clone())
    }
}

impl Bind for Vec<u8> {
    fn value(self) -> Value {
        Value::Bytes(Some(self))
    }
}

impl Bind for &[u8] {
    fn value(self) -> Value {
        Value::Bytes(Some(self.to_vec()))
    }
}

impl Bind for &Vec<u8> {
    fn value(self) -> Value {
        Value::Bytes(Some(self.clone()))
    }
}
