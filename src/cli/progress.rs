//! What a person is shown while something takes longer than a second: what is waited for, for how long, and how far it has come. On a
//! terminal and nowhere else, on one line of the standard error, which is gone before anything is printed.

use std::future::Future;
use std::io::Write;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long a wait may be before it is talked about, and how often it is talked about then.
const STEP: Duration = Duration::from_secs(1);
/// Goes back to the beginning of the line and empties it.
const EMPTY: &str = "\r\u{1b}[K";

/// The line, which everything that waits shares: a command that makes many short calls takes long, too.
#[derive(Clone, Default)]
pub(super) struct Progress(Option<Arc<Mutex<Line>>>);

struct Line {
    terminal: Box<dyn Write + Send>,
    /// How long this command has waited, whatever for.
    waited: Duration,
    /// How far it has come, if it can be told.
    so_far: Option<String>,
    drawn: bool,
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").field("visible", &self.0.is_some()).finish()
    }
}

impl Progress {
    /// On this terminal.
    pub(super) fn on(terminal: Box<dyn Write + Send>) -> Self {
        let line = Line { terminal, waited: Duration::ZERO, so_far: None, drawn: false };
        Self(Some(Arc::new(Mutex::new(line))))
    }

    /// Says how far it has come, from the next time on that something is shown.
    pub(super) fn so_far(&self, text: impl FnOnce() -> String) {
        self.with(|line| line.so_far = Some(text()));
    }

    /// What comes next is something else.
    pub(super) fn forget(&self) {
        self.with(|line| line.so_far = None);
    }

    /// Makes room for other text.
    pub(super) fn clear(&self) {
        self.with(Line::clear);
    }

    /// Waits for `work`, of which people are told as `what` once the command has waited for a second.
    pub(super) async fn wait<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        if self.0.is_none() {
            return work.await;
        }
        let mut work = pin!(work);
        loop {
            let begun = Instant::now();
            let left = self.with(|line| line.until_next()).unwrap_or(STEP);
            let done = tokio::select! {
                biased;
                done = &mut work => Some(done),
                () = sleep(left) => None,
            };
            self.with(|line| line.waited += begun.elapsed());
            match done {
                Some(done) => return done,
                None => self.with(|line| line.draw(what)).unwrap_or_default(),
            }
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Line) -> T) -> Option<T> {
        let line = self.0.as_ref()?;
        Some(change(&mut line.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Line {
    /// How long it is until another whole second has been waited.
    fn until_next(&self) -> Duration {
        STEP - Duration::from_nanos(u64::from(self.waited.subsec_nanos()))
    }

    fn draw(&mut self, what: &str) {
        let seconds = self.waited.as_secs();
        let so_far = self.so_far.as_ref().map_or_else(String::new, |text| format!(", {text}"));
        self.write(&format!("{EMPTY}Waiting for {what}… {seconds} s{so_far}"));
        self.drawn = true;
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            self.write(EMPTY);
        }
    }

    /// Nothing can be done about a terminal that does not take text.
    fn write(&mut self, text: &str) {
        let _ = self.terminal.write_all(text.as_bytes());
        let _ = self.terminal.flush();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use tokio::time::sleep;

    use super::{EMPTY, Progress};

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Screen {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_wait_is_told_every_second_and_a_short_one_is_not() {
        let screen = Screen::default();
        let progress = Progress::on(Box::new(screen.clone()));
        progress.wait("h", sleep(Duration::from_millis(900))).await;
        assert_eq!(screen.text(), "");
        let progress = Progress::on(Box::new(screen.clone()));
        progress.wait("h", sleep(Duration::from_millis(2500))).await;
        progress.clear();
        progress.clear();
        assert_eq!(screen.text(), format!("{EMPTY}Waiting for h… 1 s{EMPTY}Waiting for h… 2 s{EMPTY}"));
    }

    #[tokio::test(start_paused = true)]
    async fn many_short_waits_are_one_long_one_that_says_how_far_it_has_come() {
        let screen = Screen::default();
        let progress = Progress::on(Box::new(screen.clone()));
        for page in 1..=5 {
            progress.wait("h", sleep(Duration::from_millis(300))).await;
            progress.so_far(|| format!("{page} read"));
        }
        progress.forget();
        progress.wait("h", sleep(Duration::from_millis(600))).await;
        assert_eq!(screen.text(), format!("{EMPTY}Waiting for h… 1 s, 3 read{EMPTY}Waiting for h… 2 s"));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_terminal_nothing_is_said() {
        let progress = Progress::default();
        progress.so_far(|| panic!("nobody reads it"));
        assert_eq!(
            progress
                .wait("h", async {
                    sleep(Duration::from_secs(9)).await;
                    1
                })
                .await,
            1
        );
    }
}
