//! The compromise path: what is at risk until when, who breaks if another key takes over at once, the historical key and the
//! notice to publish.

use std::fmt::Write as _;

use super::window::{Opening, When, distrusted};
use super::{Cause, Channel, KeyState, Method, Situation, Stage, Visibility};
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::key::KeyId;

/// What a stolen key puts at risk in one channel.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AtRisk {
    /// The channel.
    pub channel: String,
    /// How much that it signed is still valid.
    pub signed: u64,
    /// How many valid artefacts list it.
    pub listing: u64,
    /// What never expires.
    pub never: Vec<String>,
    /// Until when somebody may accept what the key signs. Where that depends on receipts that are still missing: the latest
    /// time if the next artefact is signed now and published within D.
    pub until: When,
}

/// Who cannot go on if the successor takes over at once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Breaks {
    /// The channel.
    pub channel: String,
    /// Who, in words.
    pub who: &'static str,
    /// Until when; never where they cannot learn of it by themselves.
    pub until: When,
}

/// An entry of the historical keys (OpenID Federation, section 8.7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HistoricalKey {
    /// Which key of the line.
    pub version: u32,
    /// When its use ended.
    pub expires: Instant,
    /// When it is to be distrusted from, and why; none for a key that only retired.
    pub revoked: Option<(Instant, Cause)>,
}

impl HistoricalKey {
    /// The entry of a key whose use has ended; none while it is in use, or where it never was.
    pub fn of(version: u32, key: &KeyState) -> Option<Self> {
        let revoked = key.revoked.map(|revoked| (revoked.since, revoked.cause));
        let ended = key.revoked.map(|revoked| revoked.at).into_iter().chain(key.last_use).min()?;
        let over = matches!(key.stage, Stage::Retired | Stage::Revoked | Stage::Destroyed);
        over.then_some(Self { version, expires: ended, revoked })
    }
}

/// Everything there is to say at once about a key that may be stolen.
#[derive(Clone, Debug)]
pub struct Emergency {
    /// The key.
    pub key: KeyId,
    /// The time of the emergency.
    pub now: Instant,
    /// The earliest suspected time.
    pub since: Instant,
    /// What is at risk.
    pub at_risk: Vec<AtRisk>,
    /// The key that signs from now on: the active one, where another was stolen or it has taken over already; else the one that
    /// takes over: a standby key, one that is published already, or one that is made and no more.
    pub successor: Option<u32>,
    /// Who breaks.
    pub breaks: Vec<Breaks>,
}

impl Emergency {
    /// The state of affairs if this key is revoked now, unless it is already, and its successor activated.
    ///
    /// # Errors
    /// The line has no such key.
    pub fn of(situation: &Situation, key: &KeyId, since: Instant, now: Instant) -> Result<Self, Fault> {
        let revoked = situation.history.state(key)?.revoked.map_or(now, |revoked| revoked.at);
        let mut ready = [Stage::Active, Stage::Standby, Stage::Published, Stage::Generated].into_iter();
        let successor =
            ready.find_map(|stage| situation.history.at_stage(stage).find(|version| *version != key.version));
        let risk = |channel: &Channel| at_risk(situation, channel, key.version, (revoked, now));
        let breaks = |channel: &Channel| breaks(situation, channel, successor, now);
        Ok(Self {
            key: key.clone(),
            now,
            since: since.min(now),
            at_risk: situation.everywhere(key.version, now).map(risk).collect(),
            successor,
            breaks: situation.channels.iter().filter_map(breaks).collect(),
        })
    }

    /// When nobody accepts the key any longer, in any channel.
    pub fn over(&self) -> When {
        self.at_risk.iter().map(|risk| risk.until).max().unwrap_or(When::At(self.now))
    }

    /// The notice to publish, plain text of at most 76 columns. `stolen` and `next`: the fingerprints of the two keys.
    pub fn notice(&self, stolen: &str, next: Option<&str>) -> String {
        let mut text = format!(
            "SECURITY NOTICE: key {} is revoked\n\nIssued   {}\nKey      {}\n         {stolen}\nReason   compromised\n",
            self.key, self.now, self.key
        );
        let _ = write!(
            text,
            "\nDo not trust anything signed with this key at or after\n{}.\nRemove the key from your trust store now; do not wait \
             for it to expire.\n",
            self.since
        );
        match next {
            Some(next) => {
                let _ = write!(
                    text,
                    "\nThe next key is\n         {next}\nCompare it with a copy that reached you in another way. A file signed \
                     with\nthe revoked key proves nothing about it.\n"
                );
            }
            None => {
                text.push_str("\nA new key will be announced, on more than one way. Accept none before.\n");
            }
        }
        text.push_str("\nUntil when somebody who does nothing may still accept the key:\n");
        for risk in &self.at_risk {
            let _ = writeln!(text, "  {:<18} {}", risk.channel, ending(risk.until));
        }
        if !self.breaks.is_empty() {
            text.push_str("\nWhat does not work until then:\n");
        }
        for broken in &self.breaks {
            let _ = writeln!(
                text,
                "  {:<18} {}\n  {:<18} {}",
                broken.channel,
                ending(broken.until),
                "",
                broken.who
            );
        }
        text
    }
}

fn ending(when: When) -> String {
    when.instant().map_or_else(|| "until people act: nothing ends by itself".to_owned(), |at| at.to_string())
}

fn at_risk(
    situation: &Situation,
    channel: &Channel,
    version: u32,
    (revoked, now): (Instant, Instant),
) -> AtRisk {
    let (signed, listing) = (
        situation.inventory.signed(&channel.name, version),
        situation.inventory.listing(&channel.name, version),
    );
    let never = signed.into_iter().chain(listing).flat_map(super::Outstanding::never).cloned().collect();
    let until = match distrusted(channel, &situation.inventory, version, revoked) {
        Opening::Open => When::At(revoked),
        Opening::At(when) => when,
        Opening::Unseen(_) => turned_over(channel, now),
    };
    AtRisk {
        channel: channel.name.clone(),
        signed: signed.map_or(0, |signed| signed.count(now)),
        listing: listing.map_or(0, |listing| listing.count(now)),
        never,
        until,
    }
}

/// When every consumer has refreshed, if the next artefact is signed now. Strict: when all that was signed before has ended,
/// whatever they do.
fn turned_over(channel: &Channel, now: Instant) -> When {
    let timing = &channel.timing;
    match timing.validity {
        Some(validity) if timing.strict => When::At(now).later(validity).later(timing.skew),
        None if timing.strict => When::Never,
        _ => When::At(now).later(timing.delay).later(channel.cache_bound()).later(timing.skew),
    }
}

fn breaks(situation: &Situation, channel: &Channel, successor: Option<u32>, now: Instant) -> Option<Breaks> {
    let seen = successor.and_then(|version| situation.visibility(channel, version, now).ok());
    let told =
        successor.and_then(|version| situation.history.activated(version)).map_or(now, |at| at.min(now));
    let method = channel.kind.method();
    let (who, until) = match (method, seen) {
        (
            Method::PrePublish | Method::Chained | Method::Double | Method::OutOfBand,
            Some(Visibility::Omnipresent),
        ) => {
            return None;
        }
        (Method::Chained, _) => ("consumers without the new key, until they are told", When::Never),
        (Method::Double | Method::OutOfBand, _) => (
            "consumers that have pinned the old key only",
            When::At(told).later(channel.timing.distribution).later(channel.timing.skew),
        ),
        (Method::Replace, _) => ("what is still encrypted to the old key", turned_over(channel, now)),
        (Method::PrePublish, _) => ("consumers that have not refreshed", turned_over(channel, now)),
    };
    (until > When::At(now)).then(|| Breaks { channel: channel.name.clone(), who, until })
}
