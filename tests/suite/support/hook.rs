//! A receiver of webhooks: it fails, hangs or takes what comes, as the test says, and remembers all of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use aws_lc_rs::hmac;
use data_encoding::BASE64;
use serde_json::Value;

use super::wait::{PATIENCE, until};

/// What becomes of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    /// It gets this status.
    Status(u16),
    /// Nothing, for as long as the sender waits.
    Silence,
}

/// A message that came.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    /// What it was answered.
    pub(crate) answer: Answer,
    head: String,
    body: Vec<u8>,
}

impl Came {
    pub(crate) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let found = lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value.trim())
    }

    pub(crate) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The only finding in it.
    pub(crate) fn finding(&self) -> Value {
        let body = self.json();
        let findings = body["findings"].as_array().unwrap();
        assert_eq!(findings.len(), 1, "{body}");
        findings[0].clone()
    }

    /// Whether it is signed with this secret, as Standard Webhooks says.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap().as_bytes()).unwrap();
        let signed =
            [format!("{}.{}.", self.id(), self.header("webhook-timestamp")).as_bytes(), &self.body].concat();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &signed);
        let wanted = format!("v1,{}", BASE64.encode(tag.as_ref()));
        self.header("webhook-signature").split(' ').any(|one| one == wanted)
    }
}

#[derive(Default)]
struct State {
    /// What the next messages get; then each is taken.
    plan: Mutex<Vec<Answer>>,
    came: Mutex<Vec<Came>>,
    stopped: AtomicBool,
}

/// A running receiver; it stops with this value.
pub(crate) struct Hook {
    address: SocketAddr,
    state: Arc<State>,
}

impl Hook {
    /// One that answers the first messages so, and takes the others.
    pub(crate) fn start(plan: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        *state.plan.lock().unwrap() = plan.iter().rev().copied().collect();
        let seen = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if seen.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let seen = Arc::clone(&seen);
                // Whoever asks and goes away has only itself to blame.
                thread::spawn(move || serve(stream, &seen).ok());
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// All that came so far.
    pub(crate) fn came(&self) -> Vec<Came> {
        self.state.came.lock().unwrap().clone()
    }

    /// What came and was taken.
    pub(crate) fn taken(&self) -> Vec<Came> {
        self.came().into_iter().filter(|one| one.answer == Answer::Status(200)).collect()
    }

    /// Waits until so many have come.
    pub(crate) fn await_came(&self, count: usize) -> Vec<Came> {
        until(&format!("message {count}"), PATIENCE * 2, || {
            Some(self.came()).filter(|came| came.len() >= count)
        })
    }

    /// Waits until so many were taken.
    pub(crate) fn await_taken(&self, count: usize) -> Vec<Came> {
        until(&format!("{count} messages that are taken"), PATIENCE * 2, || {
            Some(self.taken()).filter(|taken| taken.len() >= count)
        })
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        TcpStream::connect(self.address).ok();
    }
}

fn serve(stream: TcpStream, state: &State) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let came = Came { answer: Answer::Silence, head, body: Vec::new() };
    let mut body = vec![0; came.header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let answer = {
        let mut plan = state.plan.lock().unwrap();
        let answer = plan.pop().unwrap_or(Answer::Status(200));
        state.came.lock().unwrap().push(Came { answer, body, ..came });
        answer
    };
    match answer {
        Answer::Status(status) => {
            write!(
                reader.get_mut(),
                "HTTP/1.1 {status} Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )?;
            reader.get_mut().flush()
        }
        // Until the sender goes away.
        Answer::Silence => reader.read(&mut [0; 1]).map(|_| ()),
    }
}
