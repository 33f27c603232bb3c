//! Which trace a request belongs to, in the W3C's form (`traceparent`, Trace Context level 1). Pure.

use crate::clock::Entropy;

/// What one span is called within its trace.
pub type SpanId = [u8; 8];

/// Where a request stands in a trace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Context {
    trace: [u8; 16],
    parent: Option<SpanId>,
    own: SpanId,
}

impl Context {
    /// A trace of its own.
    #[must_use]
    pub fn fresh(entropy: &dyn Entropy) -> Self {
        Self { trace: random(entropy), parent: None, own: random(entropy) }
    }

    /// The next step of what a header says; `None` for one that is malformed or says that nobody looks.
    #[must_use]
    pub fn following(header: &str, entropy: &dyn Entropy) -> Option<Self> {
        let mut parts = header.split('-');
        let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let [version] = hex::<1>(version)?;
        // Version 0 has no more parts, later ones may; 255 is none.
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return None;
        }
        let (trace, parent, [flags]) = (hex::<16>(trace)?, hex::<8>(parent)?, hex::<1>(flags)?);
        let sound = trace != [0; 16] && parent != [0; 8] && flags & 1 == 1;
        sound.then(|| Self { trace, parent: Some(parent), own: random(entropy) })
    }

    /// The trace.
    #[must_use]
    pub fn trace(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.trace)
    }

    /// The span that asked, if another did.
    #[must_use]
    pub const fn parent(&self) -> Option<SpanId> {
        self.parent
    }

    /// The span of the request itself.
    #[must_use]
    pub const fn own(&self) -> SpanId {
        self.own
    }

    /// The span of its part of that number.
    #[must_use]
    pub fn child(&self, number: usize) -> SpanId {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        u64::from_be_bytes(self.own).wrapping_add(number.wrapping_add(1)).max(1).to_be_bytes()
    }

    /// What is told to whoever is asked by that span.
    #[must_use]
    pub fn header(&self, span: SpanId) -> String {
        format!("00-{}-{}-01", self.trace(), data_encoding::HEXLOWER.encode(&span))
    }
}

/// Random, and never all zero, which stands for none.
fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    if bytes == [0; N] { [1; N] } else { bytes }
}

/// Lower-case hexadecimal of exactly this length.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::Context;
    use crate::clock::SystemEntropy;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_trace_goes_on_with_a_span_of_its_own() {
        let context = Context::following(PARENT, &SystemEntropy).unwrap();
        assert_eq!(context.trace(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.parent().unwrap(), [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);
        let header = context.header(context.child(1));
        let told = Context::following(&header, &SystemEntropy).unwrap();
        assert_eq!((told.trace(), told.parent()), (context.trace(), Some(context.child(1))));
        let spans = [context.own(), context.child(0), context.child(1), context.child(2)];
        let distinct: std::collections::BTreeSet<_> = spans.iter().collect();
        assert_eq!(distinct.len(), 4);
        assert!(
            Context::following(
                "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
                &SystemEntropy
            )
            .is_some()
        );
    }

    #[test]
    fn headers_that_are_none_or_that_nobody_looks_at_are_not_followed() {
        for wrong in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e47-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        ] {
            assert_eq!(Context::following(wrong, &SystemEntropy), None, "{wrong}");
        }
    }
}
