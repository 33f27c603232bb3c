//! The scanner that the operator has configured: a command of its own, without a shell, with a limit on its time and its words.

use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::init::{BOOTSTRAP_ACCESS_KEY_ID, BOOTSTRAP_KEY, BOOTSTRAP_SECRET_ACCESS_KEY};
use crate::config::settings::Registry;
use crate::control::scans::Scanner;
use crate::findings::read::REPORT_MAX;
use crate::ids::region::Region;
use crate::store::findings::Scanned;

/// How much of what it says on standard error is kept for the log.
const COMPLAINT_MAX: usize = 2_000;

/// The command.
#[derive(Clone, Debug)]
pub struct CommandScanner {
    program: String,
    arguments: Vec<String>,
    timeout: Duration,
    hosts: Vec<(Region, String)>,
}

impl CommandScanner {
    /// A scanner by this command; `None` if it is empty.
    #[must_use]
    pub fn new(command: &[String], timeout: Duration, registries: &[Registry]) -> Option<Self> {
        let (program, arguments) = command.split_first()?;
        let host = |one: &Registry| (one.region.clone(), one.name.to_string());
        Some(Self {
            program: program.clone(),
            arguments: arguments.to_vec(),
            timeout,
            hosts: registries.iter().map(host).collect(),
        })
    }

    /// An argument with what it stands for. Names and digests are of a grammar that has no blanks, quotes or options.
    fn filled(&self, argument: &str, of: &Scanned) -> String {
        let host = self.hosts.iter().find(|(region, _)| *region == of.region);
        let host = host.map(|(_, host)| host.as_str()).unwrap_or_default();
        argument
            .replace("{image}", &format!("{host}/{}@{}", of.repository, of.digest))
            .replace("{registry}", host)
            .replace("{repository}", of.repository.as_str())
            .replace("{digest}", of.digest.as_str())
            .replace("{region}", of.region.as_str())
    }
}

impl CommandScanner {
    /// The command. It reads what anybody may have pushed, so it is not told with what the account began.
    fn command(&self, of: &Scanned) -> Command {
        let mut command = Command::new(&self.program);
        command.args(self.arguments.iter().map(|argument| self.filled(argument, of)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        for secret in [BOOTSTRAP_KEY, BOOTSTRAP_ACCESS_KEY_ID, BOOTSTRAP_SECRET_ACCESS_KEY] {
            command.env_remove(secret);
        }
        command
    }
}

#[async_trait]
impl Scanner for CommandScanner {
    async fn scan(&self, of: &Scanned) -> Result<Vec<u8>, String> {
        let started =
            self.command(of).spawn().map_err(|error| format!("{} cannot be started: {error}", self.program));
        let mut process = started?;
        let (Some(out), Some(err)) = (process.stdout.take(), process.stderr.take()) else {
            return Err("its output cannot be read".to_owned());
        };
        let work = async {
            // Both are read to their end, or it would wait for us.
            let (report, complaint) = tokio::join!(up_to(out, REPORT_MAX), up_to(err, COMPLAINT_MAX));
            (report, complaint, process.wait().await)
        };
        let ended = tokio::time::timeout(self.timeout, work).await;
        let (report, complaint, status) =
            ended.map_err(|_| format!("it took longer than {} s", self.timeout.as_secs()))?;
        let status = status.map_err(|error| error.to_string())?;
        if !status.success() {
            let said = complaint.map(|(text, _)| String::from_utf8_lossy(&text).into_owned());
            return Err(format!("{status}: {}", said.unwrap_or_default().trim()));
        }
        match report {
            Ok((report, true)) => Ok(report),
            Ok((_, false)) => Err(format!("its report is longer than {} MiB", REPORT_MAX >> 20)),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Reads to the end; keeps what fits, and says whether all did.
async fn up_to(mut from: impl AsyncRead + Unpin, max: usize) -> std::io::Result<(Vec<u8>, bool)> {
    let (mut kept, mut whole, mut part) = (Vec::new(), true, vec![0; 64 << 10]);
    loop {
        let length = from.read(&mut part).await?;
        if length == 0 {
            return Ok((kept, whole));
        }
        let room = max.saturating_sub(kept.len()).min(length);
        kept.extend_from_slice(part.get(..room).unwrap_or_default());
        whole &= room == length;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::CommandScanner;
    use crate::control::scans::Scanner as _;
    use crate::registry::reference::Digest;
    use crate::store::findings::Scanned;

    fn scanner(command: &[&str]) -> CommandScanner {
        let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        let mut scanner = CommandScanner::new(&command, Duration::from_secs(5), &[]).unwrap();
        scanner.hosts.push(("us-south".parse().unwrap(), "us.registry.test".to_owned()));
        scanner
    }

    fn of() -> Scanned {
        let digest = Digest::parse(&format!("sha256:{:064x}", 1)).unwrap();
        Scanned { region: "us-south".parse().unwrap(), repository: "a/b".parse().unwrap(), digest }
    }

    #[tokio::test]
    async fn a_command_is_given_the_image_and_no_shell() {
        let said = scanner(&["echo", "{image};$(id)", "{region}"]).scan(&of()).await.unwrap();
        let expected = format!("us.registry.test/a/b@{};$(id) us-south\n", of().digest);
        assert_eq!(String::from_utf8(said).unwrap(), expected);
    }

    #[test]
    fn a_command_is_not_told_with_what_the_account_began() {
        let command = scanner(&["env"]).command(&of());
        let removed: Vec<_> = command.as_std().get_envs().filter(|(_, value)| value.is_none()).collect();
        let names: Vec<_> = removed.iter().filter_map(|(name, _)| name.to_str()).collect();
        assert_eq!(
            names,
            [
                "PORTCULLIS_BOOTSTRAP_ACCESS_KEY_ID",
                "PORTCULLIS_BOOTSTRAP_API_KEY",
                "PORTCULLIS_BOOTSTRAP_SECRET_ACCESS_KEY"
            ]
        );
    }

    #[tokio::test]
    async fn a_command_that_fails_hangs_or_is_not_there_leaves_no_report() {
        let failed = scanner(&["sh", "-c", "echo why >&2; exit 3"]).scan(&of()).await;
        assert!(failed.as_ref().is_err_and(|why| why.contains("3") && why.contains("why")), "{failed:?}");
        assert!(scanner(&["/no/such/scanner"]).scan(&of()).await.is_err());
        let mut slow = scanner(&["sleep", "60"]);
        slow.timeout = Duration::from_millis(50);
        assert!(slow.scan(&of()).await.is_err_and(|why| why.contains("longer than")));
        assert!(CommandScanner::new(&[], Duration::from_secs(1), &[]).is_none());
    }

    #[tokio::test]
    async fn a_report_that_is_too_long_is_none_and_the_command_ends_all_the_same() {
        let long = format!("head -c {} /dev/zero", super::REPORT_MAX + 1);
        let said = scanner(&["sh", "-c", &long]).scan(&of()).await;
        assert!(said.is_err_and(|why| why.contains("longer than 32 MiB")));
    }
}
