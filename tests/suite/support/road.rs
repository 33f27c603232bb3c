//! A road to the registry that a test can block: bytes pass as they come, and stand still where the test says.
//!
//! With it a test knows that a client whose pace it cannot set is in the middle of something, and of what.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use super::wait::{PATIENCE, until};

/// Where an exchange is to stand still.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Block {
    /// Nowhere.
    Nowhere,
    /// After so many bytes of the request.
    Request(usize),
    /// After so many bytes of the answer.
    Answer(usize),
}

/// The road; it ends with this value.
pub(crate) struct Road {
    address: SocketAddr,
    gate: Arc<Gate>,
}

type Rule = dyn Fn(&str) -> Block + Send + Sync;

struct Gate {
    rule: Box<Rule>,
    state: Mutex<State>,
    opened: Condvar,
}

#[derive(Default)]
struct State {
    held: usize,
    open: bool,
    cut: bool,
    ended: bool,
}

impl Road {
    /// Leads to that address; the rule says of each request's first line where its exchange stands still.
    pub(crate) fn to(target: &str, rule: impl Fn(&str) -> Block + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let gate = Arc::new(Gate { rule: Box::new(rule), state: Mutex::default(), opened: Condvar::new() });
        let (shared, target) = (Arc::clone(&gate), target.to_owned());
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if shared.state.lock().unwrap().ended {
                    return;
                }
                // Nobody there: the caller sees its connection closed.
                if let Ok(far) = TcpStream::connect(&target) {
                    travel(&near, &far, &shared);
                }
            }
        });
        Self { address, gate }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until that many exchanges stand still.
    pub(crate) fn await_held(&self, count: usize) {
        let held = || self.gate.state.lock().unwrap().held;
        until(&format!("{count} exchanges to stand still"), PATIENCE, || (held() >= count).then_some(()));
        assert_eq!(held(), count, "more stand still than should");
    }

    /// Lets everything pass, for good.
    pub(crate) fn open(&self) {
        self.gate.open(false);
    }

    /// Ends the exchanges that stand still, and what is on its way in them is lost. Later ones pass.
    pub(crate) fn cut(&self) {
        self.gate.open(true);
    }
}

impl Drop for Road {
    fn drop(&mut self) {
        self.gate.state.lock().unwrap().ended = true;
        self.open();
        // Wakes the thread, so that it sees that it should stop.
        let _ = TcpStream::connect(self.address);
    }
}

impl Gate {
    fn open(&self, cut: bool) {
        let mut state = self.state.lock().unwrap();
        (state.open, state.cut) = (true, cut);
        self.opened.notify_all();
    }

    /// Whether the way goes on from here, once that is known.
    fn stand_still(&self) -> bool {
        let mut state = self.state.lock().unwrap();
        if state.open {
            return true;
        }
        state.held += 1;
        while !state.open {
            state = self.opened.wait(state).unwrap();
        }
        !state.cut
    }
}

/// How many more bytes of one direction pass before it stands still.
type Left = Arc<Mutex<Option<usize>>>;

fn travel(near: &TcpStream, far: &TcpStream, gate: &Arc<Gate>) {
    let (up, down) = (Left::default(), Left::default());
    for (from, to, left, blocks) in
        [(near, far, &up, Some((Arc::clone(&up), Arc::clone(&down)))), (far, near, &down, None)]
    {
        let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        let (left, gate) = (Arc::clone(left), Arc::clone(gate));
        thread::spawn(move || {
            copy(&from, &to, &left, &gate, |chunk| {
                let Some(((up, down), line)) = blocks.as_ref().zip(first_line(chunk)) else { return };
                let (request, answer) = match (gate.rule)(line) {
                    Block::Nowhere => (None, None),
                    Block::Request(after) => (Some(after), None),
                    Block::Answer(after) => (None, Some(after)),
                };
                (*up.lock().unwrap(), *down.lock().unwrap()) = (request, answer);
            });
            for end in [from, to] {
                let _ = end.shutdown(Shutdown::Both);
            }
        });
    }
}

fn copy(mut from: &TcpStream, mut to: &TcpStream, left: &Left, gate: &Gate, look: impl Fn(&[u8])) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let chunk = &buffer[..count];
        look(chunk);
        let passes = match &mut *left.lock().unwrap() {
            Some(left) if *left < count => Some(*left),
            Some(left) => {
                *left -= count;
                None
            }
            None => None,
        };
        let (first, rest) = chunk.split_at(passes.unwrap_or(count));
        if to.write_all(first).is_err() {
            return;
        }
        if passes.is_some() {
            *left.lock().unwrap() = None;
            if !gate.stand_still() || to.write_all(rest).is_err() {
                return;
            }
        }
    }
}

/// The first line of a request that begins with these bytes.
fn first_line(chunk: &[u8]) -> Option<&str> {
    let end = chunk.windows(2).position(|two| two == b"\r\n")?;
    let line = std::str::from_utf8(&chunk[..end]).ok()?;
    line.ends_with(" HTTP/1.1").then_some(line)
}
