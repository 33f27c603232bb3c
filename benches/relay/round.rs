//! One round of work by one contender, and what it cost; several of them in turn.

use std::time::Instant;

use crate::contender::Contender;
use crate::processor::{busy_seconds, seconds_of};

/// How often each contender is measured.
pub(crate) const ROUNDS: usize = 5;

/// What was done in one round, and what it cost.
#[derive(Clone, Copy)]
pub(crate) struct Round {
    /// Requests, bytes, handshakes or tokens.
    pub(crate) work: f64,
    /// Seconds on the clock.
    pub(crate) wall: f64,
    /// Seconds of the contender's processor time.
    pub(crate) cpu: f64,
    /// Seconds that its processor was busy, with whatever.
    pub(crate) busy: f64,
}

/// A round under way.
pub(crate) struct Meter {
    pids: Vec<u32>,
    begun: Instant,
    cpu: f64,
    busy: f64,
}

impl Meter {
    pub(crate) fn start(contender: &Contender) -> Self {
        let pids = contender.pids();
        Self { begun: Instant::now(), cpu: seconds_of(&pids), busy: busy_seconds(), pids }
    }

    pub(crate) fn stop(self, work: f64) -> Round {
        let wall = self.begun.elapsed().as_secs_f64();
        Round { work, wall, cpu: seconds_of(&self.pids) - self.cpu, busy: busy_seconds() - self.busy }
    }
}

/// All rounds of one contender.
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) rounds: Vec<Round>,
}

impl Series {
    /// Work per second of its processor time.
    pub(crate) fn per_cpu(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|round| round.work / round.cpu))
    }

    /// Work per second.
    pub(crate) fn per_second(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|round| round.work / round.wall))
    }

    /// Which part of its processor was busy.
    pub(crate) fn share(&self) -> Spread {
        Spread::of(self.rounds.iter().map(|round| round.busy / round.wall))
    }
}

/// Measures all contenders in turn, back and forth.
pub(crate) fn take_turns<'c>(
    contenders: &[&'c Contender],
    mut measure: impl FnMut(&'c Contender) -> Round,
) -> Vec<Series> {
    let mut all: Vec<Series> =
        contenders.iter().map(|contender| Series { name: contender.name, rounds: Vec::new() }).collect();
    for number in 0..ROUNDS {
        let mut order: Vec<usize> = (0..contenders.len()).collect();
        if number % 2 == 1 {
            order.reverse();
        }
        for at in order {
            eprint!(".");
            all[at].rounds.push(measure(contenders[at]));
        }
    }
    eprintln!();
    all
}

/// The series of one contender.
pub(crate) fn of<'s>(all: &'s [Series], name: &str) -> &'s Series {
    all.iter().find(|series| series.name == name).expect("it took part")
}

/// The middle value and the extremes.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Spread {
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        Self { median: at(values.len() / 2), low: at(0), high: at(values.len().saturating_sub(1)) }
    }
}
