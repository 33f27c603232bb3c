//! By which way reports come, and how far each is believed.

/// By which way a report came: what one way says, another never takes away.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Channel {
    /// Pushed to the registry, beside the image. Whoever may push is believed as far as it makes an image worse.
    Referrer,
    /// Found by the scanner that the operator has configured.
    Scanner,
    /// Sent to the API by somebody who may.
    Upload,
}

impl Channel {
    /// All.
    pub const ALL: [Self; 3] = [Self::Referrer, Self::Scanner, Self::Upload];

    /// As it is stored and shown.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Referrer => "referrer",
            Self::Scanner => "scanner",
            Self::Upload => "upload",
        }
    }

    /// Reads a label.
    #[must_use]
    pub fn parse(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.label() == label)
    }

    /// Whether it is believed when it says that an image is *not* affected by something.
    #[must_use]
    pub const fn dismisses(self) -> bool {
        match self {
            Self::Referrer => false,
            Self::Scanner | Self::Upload => true,
        }
    }
}
