//! The room as a whole: windows, answers, pictures, and years of rotation with consumers that follow the rules of caches.

mod answers;
mod consumers;
mod emergency;
pub(crate) mod histories;
mod inventory;
mod plans;
mod windows;
mod withheld;
mod year;

use std::collections::BTreeSet;

use super::*;
use crate::base::bytes::Digest;
use crate::base::clock::{Instant, Span};

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

pub(crate) fn at(seconds: i64) -> Instant {
    Instant::parse("2026-11-22T00:00:00Z").unwrap().after(Span::of_seconds(seconds)).unwrap()
}

fn days(count: i64) -> Span {
    Span::of_days(count)
}

pub(crate) fn line() -> crate::key::Line {
    "example.org/prod/metadata".parse().unwrap()
}

/// A line with one key, made at the beginning, and one channel.
fn situation(channel: Channel) -> Situation {
    let history = History::replay([Step::new(at(0), 1, Move::Generate)]).unwrap();
    Situation::new(vec![channel], history)
}

fn keys(versions: &[u32]) -> Lists {
    Lists::Keys(versions.iter().copied().collect::<BTreeSet<_>>())
}

/// Something that was signed, named by its name.
fn signature(
    name: &str,
    channel: Kind,
    by: Option<u32>,
    issued: i64,
    expires: When,
    lists: Lists,
) -> Signature {
    let (artefact, digest) = (name.to_owned(), Digest::of(name.as_bytes()));
    let (channel, issued) = (channel.name().to_owned(), at(issued));
    Signature { artefact, digest, channel, place: None, by, issued, expires, lists }
}

fn receipt(name: &str, seen: i64) -> Receipt {
    let from = Source::Point("https://example.org/metadata".to_owned());
    Receipt { digest: Digest::of(name.as_bytes()), seen: at(seen), from }
}

fn go(situation: &mut Situation, time: i64, version: u32, act: Move) {
    situation.history.apply(Step::new(at(time), version, act)).unwrap();
}

fn asked() -> Asked<'static> {
    Asked { reason: Some("a reason"), persons: 9, emergency: false }
}

fn ask(situation: &Situation, time: i64, version: u32, act: Move) -> Answers {
    super::answers(situation, act, version, at(time), asked())
}
