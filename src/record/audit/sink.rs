//! The file behind the audit log: whole lines only, never a line twice, and always able to go on after a failure.
//!
//! It blocks on nothing but a disk: a pipe without a reader, or a full one, is a failure like a full disk.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::event::AuditEvent;
use super::lines;

/// Opening and writing a pipe must fail rather than wait for a reader (F-09).
#[cfg(any(target_os = "linux", target_os = "android"))]
const O_NONBLOCK: i32 = 0o4000;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const O_NONBLOCK: i32 = 0x0004;

/// "No such device or address": what opening a pipe that nobody reads gives.
const ENXIO: i32 = 6;

/// How much room for lines is kept while there are none.
const ROOM_KEPT: usize = 1 << 20;

/// Where audit events go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Destination {
    /// A file, or a named pipe.
    File(PathBuf),
    /// Nowhere: there is no audit log.
    None,
    /// Standard output.
    Stdout,
}

/// An open destination with the lines that are not in it yet.
#[derive(Debug)]
pub(super) struct Sink {
    destination: Destination,
    /// `None` while a pipe has no reader, or after an error that only opening again can mend.
    file: Option<Opened>,
    /// Lines to be written. The first may be in the pipe already up to `written`.
    pending: Vec<u8>,
    written: usize,
    unsynced: bool,
}

#[derive(Debug)]
struct Opened {
    file: File,
    /// Whether it can be cut and synced.
    regular: bool,
}

impl Sink {
    /// Opens the destination. A pipe that nobody reads yet is not an error here, but will be one for [`Sink::flush`].
    pub(super) fn open(destination: Destination) -> io::Result<Self> {
        let torn = match &destination {
            Destination::File(path) => ends_inside_a_line(path),
            Destination::None | Destination::Stdout => false,
        };
        let file = match open(&destination) {
            Err(error) if error.raw_os_error() == Some(ENXIO) => None,
            opened => Some(opened?),
        };
        // A line that a crash has torn was never acknowledged; what follows must not be glued to it.
        let pending = if torn { vec![b'\n'] } else { Vec::new() };
        Ok(Self { destination, file, pending, written: 0, unsynced: false })
    }

    /// Adds one line.
    pub(super) fn push(&mut self, line: &AuditEvent<'_>) {
        lines::append(&mut self.pending, line);
    }

    /// Adds whole lines. What they were in is given back empty, with its room.
    pub(super) fn take(&mut self, lines: &mut Vec<u8>) {
        if self.pending.is_empty() {
            std::mem::swap(&mut self.pending, lines);
        } else {
            self.pending.append(lines);
        }
    }

    /// How many bytes are waiting.
    pub(super) fn backlog(&self) -> usize {
        self.pending.len()
    }

    /// Whether something was written that the disk may not have yet.
    pub(super) fn unsynced(&self) -> bool {
        self.unsynced
    }

    /// Writes all lines. After an error, whole lines that got through are not written again.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let opened = match &mut self.file {
            Some(opened) => opened,
            none => none.insert(open(&self.destination)?),
        };
        while let Some(rest) = self.pending.get(self.written..).filter(|rest| !rest.is_empty()) {
            match opened.file.write(rest) {
                Ok(0) => return Err(self.retreat(io::ErrorKind::WriteZero.into())),
                Ok(count) => {
                    self.written += count;
                    self.unsynced = true;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.retreat(error)),
            }
        }
        self.pending.clear();
        self.pending.shrink_to(ROOM_KEPT);
        self.written = 0;
        Ok(())
    }

    /// Forgets the lines that got through and takes back, where possible, the beginning of the one that did not.
    fn retreat(&mut self, error: io::Error) -> io::Error {
        let out = self.pending.get(..self.written).unwrap_or_default();
        let whole = out.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        self.pending.drain(..whole);
        self.written -= whole;
        let torn = self.written;
        let keep_open = matches!(
            error.kind(),
            io::ErrorKind::WouldBlock | io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        );
        if let Some(opened) = self.file.as_mut().filter(|opened| opened.regular && torn > 0) {
            self.written = 0;
            if opened.cut(torn).is_err() {
                self.pending.insert(0, b'\n');
            }
        }
        if !keep_open {
            self.file = None;
            self.written = 0;
        }
        error
    }

    /// Brings to the disk what was written.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if let Some(opened) = self.file.as_ref().filter(|opened| opened.regular) {
            opened.file.sync_data()?;
        }
        self.unsynced = false;
        Ok(())
    }

    /// Opens the path again, after it was moved away. On an error the old file is kept.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        if self.unsynced {
            self.sync()?;
        }
        self.file = Some(open(&self.destination)?);
        self.written = 0;
        Ok(())
    }
}

impl Opened {
    /// Takes back the last `torn` bytes, if they are still the end of the file.
    fn cut(&mut self, torn: usize) -> io::Result<()> {
        let (end, length) = (self.file.stream_position()?, self.file.metadata()?.len());
        let torn = u64::try_from(torn).unwrap_or(u64::MAX);
        match length.checked_sub(torn) {
            Some(keep) if end == length => self.file.set_len(keep),
            _ => Err(io::Error::other("another process writes to the audit log")),
        }
    }
}

fn open(destination: &Destination) -> io::Result<Opened> {
    let file = match destination {
        Destination::File(path) => {
            OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(O_NONBLOCK).open(path)?
        }
        Destination::None => return Err(io::Error::other("there is no audit log")),
        Destination::Stdout => File::from(io::stdout().as_fd().try_clone_to_owned()?),
    };
    let metadata = file.metadata()?;
    let regular = metadata.is_file();
    let mode = metadata.permissions().mode();
    if regular && matches!(destination, Destination::File(_)) && mode & 0o007 != 0 {
        file.set_permissions(std::fs::Permissions::from_mode(mode & 0o770))?;
    }
    Ok(Opened { file, regular })
}

fn ends_inside_a_line(path: &Path) -> bool {
    let last_byte = || -> io::Result<u8> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(-1))?;
        let mut last = [b'\n'];
        file.read_exact(&mut last)?;
        Ok(u8::from_ne_bytes(last))
    };
    std::fs::metadata(path).is_ok_and(|found| found.is_file()) && last_byte().is_ok_and(|byte| byte != b'\n')
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::io::Write as _;

    use super::{Destination, Sink};

    fn full() -> io::Error {
        io::ErrorKind::StorageFull.into()
    }

    /// A sink on `path` that has two lines to write, of which the disk took one and a half.
    fn torn(path: &std::path::Path) -> Sink {
        let mut sink = Sink::open(Destination::File(path.to_owned())).unwrap();
        sink.pending.extend_from_slice(b"\"one\"\n\"two\"\n");
        sink.file.as_mut().unwrap().file.write_all(b"\"one\"\n\"t").unwrap();
        sink.written = 8;
        sink
    }

    #[test]
    fn half_a_line_is_taken_back_and_whole_lines_are_not_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut sink = torn(&path);
        sink.retreat(full());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "\"one\"\n");
        sink.flush().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "\"one\"\n\"two\"\n");
    }

    #[test]
    fn what_another_process_wrote_is_never_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut sink = torn(&path);
        let mut other = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        other.write_all(b"other").unwrap();
        sink.retreat(full());
        sink.flush().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "\"one\"\n\"tother\n\"two\"\n");
    }

    #[test]
    fn a_world_readable_log_becomes_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        Sink::open(Destination::File(path.clone())).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
