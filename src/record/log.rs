//! The operational log: what an administrator reads on standard error.
//!
//! Only this program's own lines follow the level; those of libraries appear from `warn` on, whatever the level, so that
//! no library's tracing can print a header or a key (K-01).

use std::io::IsTerminal as _;

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

use super::event::labels;

labels! {
    /// The least important lines that are written.
    Level {
        /// What needs an administrator.
        Error = "error",
        /// What may need one soon.
        Warn = "warn",
        /// One line per request.
        Info = "info",
        /// Also probes and what went on inside.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

labels! {
    /// The form of a line.
    Format {
        /// For machines.
        Json = "json",
        /// For people.
        Text = "text",
    }
}

/// Changes the level of a running log.
#[derive(Clone, Debug)]
pub struct LevelControl(reload::Handle<EnvFilter, Registry>);

impl LevelControl {
    /// Sets the level from now on.
    pub fn set(&self, level: Level) {
        if self.0.reload(filter(level)).is_err() {
            tracing::error!("the level of the log cannot be changed");
        }
    }
}

/// Starts the log of the process, on standard error.
///
/// # Errors
/// When the process has a log already.
pub fn init(level: Level, format: Format) -> Result<LevelControl, TryInitError> {
    let colours = std::io::stderr().is_terminal();
    let (subscriber, control) = subscriber(level, format, colours, std::io::stderr);
    subscriber.try_init()?;
    Ok(control)
}

fn filter(level: Level) -> EnvFilter {
    EnvFilter::new(format!("warn,portcullis={}", level.label()))
}

fn subscriber<W>(
    level: Level,
    format: Format,
    colours: bool,
    writer: W,
) -> (Box<dyn Subscriber + Send + Sync>, LevelControl)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let (filter, handle) = reload::Layer::new(filter(level));
    let filtered = tracing_subscriber::registry().with(filter);
    let subscriber: Box<dyn Subscriber + Send + Sync> = match format {
        Format::Json => Box::new(filtered.with(fmt::layer().json().with_writer(writer))),
        Format::Text => Box::new(filtered.with(fmt::layer().with_ansi(colours).with_writer(writer))),
    };
    (subscriber, LevelControl(handle))
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::{Format, Level, subscriber};

    /// Collects what is logged.
    #[derive(Clone, Default)]
    pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Captured {
        /// Runs `act` with a log of this level and format.
        pub(crate) fn during(&self, level: Level, format: Format, act: impl FnOnce()) {
            let sink = self.clone();
            let (subscriber, _) = subscriber(level, format, false, move || sink.clone());
            tracing::subscriber::with_default(subscriber, act);
        }

        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_level_holds_for_our_lines_and_libraries_stay_quiet() {
        let captured = Captured::default();
        captured.during(Level::Debug, Format::Text, || {
            tracing::debug!("ours");
            tracing::trace!("too detailed");
            tracing::info!(target: "hyper::proto", "a library's header dump");
            tracing::warn!(target: "hyper::proto", "a library's warning");
        });
        let text = captured.text();
        assert!(text.contains("ours") && text.contains("a library's warning"), "{text}");
        assert!(!text.contains("too detailed") && !text.contains("header dump"), "{text}");
    }

    #[test]
    fn the_level_of_a_running_log_can_be_changed() {
        let captured = Captured::default();
        let sink = captured.clone();
        let (subscriber, control) = subscriber(Level::Error, Format::Text, false, move || sink.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("before");
            control.set(Level::Info);
            tracing::info!("after");
        });
        assert!(captured.text().contains("after") && !captured.text().contains("before"));
    }
}
