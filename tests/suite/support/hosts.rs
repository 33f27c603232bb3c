//! Machines with addresses of their own: network namespaces, each with a cable to this machine. Needs root.

use std::ffi::OsStr;
use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::process::{bare, run};

/// What machines call the server.
pub(crate) const SERVER: &str = "us.registry.test";

/// One machine; it is gone with this value.
pub(crate) struct Machine {
    /// Its own address.
    pub(crate) address: Ipv4Addr,
    name: String,
    folder: TempDir,
}

impl Machine {
    /// The `number`th of this process, below 8.
    ///
    /// # Errors
    /// Why this machine lets nobody make one.
    pub(crate) fn new(number: u32) -> Result<Self, String> {
        assert!(number < 8, "eight subnets for each process");
        // A subnet of four addresses in those of carriers, which nothing else here uses.
        let base =
            u32::from(Ipv4Addr::new(100, 64, 0, 0)) + (std::process::id() % 0x1_0000) * 32 + number * 4;
        let (server, address) = (Ipv4Addr::from(base + 1), Ipv4Addr::from(base + 2));
        let name = format!("p{}-{number}", std::process::id());
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("hosts"), format!("127.0.0.1 localhost\n{server} {SERVER}\n")).unwrap();
        ip(&format!("netns add {name}"))?;
        let machine = Self { address, name, folder };
        let (name, near) = (&machine.name, format!("v{}", machine.name));
        ip(&format!("link add {near} type veth peer name eth0 netns {name}"))?;
        ip(&format!("addr add {server}/30 dev {near}"))?;
        ip(&format!("link set {near} up"))?;
        ip(&format!("-n {name} addr add {address}/30 dev eth0"))?;
        ip(&format!("-n {name} link set eth0 up"))?;
        ip(&format!("-n {name} link set lo up"))?;
        Ok(machine)
    }

    /// What runs there.
    pub(crate) fn inside(&self) -> Inside {
        let home = self.folder.path().to_owned();
        Inside { network: format!("--net=/run/netns/{}", self.name), hosts: home.join("hosts"), home }
    }

    /// A command that runs there.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let inside = self.inside();
        let mut command = inside.command(program);
        command.env("HOME", &inside.home).env("TMPDIR", &inside.home);
        command
    }
}

/// A place to run commands in, for as long as its machine is there.
#[derive(Clone, Debug)]
pub(crate) struct Inside {
    network: String,
    hosts: PathBuf,
    home: PathBuf,
}

impl Inside {
    /// A command that runs there. It keeps the process id that it starts with.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = bare("nsenter");
        let enter = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";
        command.args([&*self.network, "unshare", "--mount", "sh", "-c", enter]).arg(&self.hosts).arg(program);
        command
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Its end of the cable goes with it, and ours with that.
        let _ = ip(&format!("netns delete {}", self.name));
    }
}

fn ip(words: &str) -> Result<(), String> {
    let done = run(bare("ip").args(words.split(' ')), "");
    if done.code == Some(0) { Ok(()) } else { Err(format!("`ip {words}`: {}", done.said().trim())) }
}
