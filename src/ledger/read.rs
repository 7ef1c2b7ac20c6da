//! Reading a ledger as an auditor: the same checks as everybody's, and the bodies of the entries.

use std::io::Read;

use serde_json::{Value, json};

use crate::base::bytes::base64;
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::base::recipient::Identities;
use crate::base::secret::Secret;

use super::chain::Summary;
use super::records::Records;
use super::session::{decrypt, unwrap};
use super::{DAMAGED, EntryKind, Rewrapped};

/// One entry as an auditor sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its place, which alone says what came before what.
    pub index: u64,
    /// What it records.
    pub kind: EntryKind,
    /// The time that it claims.
    pub time: Instant,
    /// The intent that it closes.
    pub re: Option<u64>,
    /// The first entry of the session that wrote it.
    pub session: u64,
    /// The leaf hash of its line (RFC 6962, section 2.1).
    pub leaf: [u8; 32],
    /// What it says.
    pub body: Body,
}

/// The confidential part of an entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// It could be read.
    Open(Value),
    /// None of the identities opens its session.
    Sealed,
    /// Its session opens and it does not: its writer was broken, or lied.
    Broken,
}

impl Entry {
    /// The entry as programs read it: what `ledger show --json` and the JSON Lines export consist of.
    pub fn to_json(&self) -> Value {
        let (state, body) = self.body.state();
        json!({
            "index": self.index,
            "type": self.kind.name(),
            "time": self.time.to_string(),
            "re": self.re,
            "session": self.session,
            "leaf": base64(&self.leaf),
            "state": state,
            "body": body,
        })
    }
}

impl Body {
    /// Whether it could be read, and what it says.
    pub(super) fn state(&self) -> (&'static str, &Value) {
        match self {
            Self::Open(value) => ("open", value),
            Self::Sealed => ("sealed", &Value::Null),
            Self::Broken => ("broken", &Value::Null),
        }
    }
}

/// Reads a ledger with the identities of an auditor. Every line passes the checks of [`verify`](super::verify) before
/// its entry is given; the first fault ends the reading.
pub fn read<R: Read>(source: R, identities: &Identities) -> Reader<'_, R> {
    read_with(source, identities, None)
}

/// The same with sessions that were rewrapped for these identities.
pub fn read_with<'a, R: Read>(
    source: R,
    identities: &'a Identities,
    rewrapped: Option<&'a Rewrapped>,
) -> Reader<'a, R> {
    Reader { records: Records::new(source), identities, rewrapped, key: None, ended: false, failed: false }
}

/// The entries of a ledger in order; see [`read`].
pub struct Reader<'a, R> {
    records: Records<R>,
    identities: &'a Identities,
    rewrapped: Option<&'a Rewrapped>,
    /// Sessions follow one another, so one key is enough.
    key: Option<Secret<[u8; 32]>>,
    ended: bool,
    failed: bool,
}

impl<R: Read> Reader<'_, R> {
    /// What was found in the entries read so far; refuses after a fault.
    pub fn summary(&self) -> Result<Summary, Fault> {
        if self.failed {
            return Err(DAMAGED.fault("the ledger could not be read to its end"));
        }
        self.records.summary()
    }

    fn entry(&mut self) -> Result<Option<Entry>, Fault> {
        let (identities, rewrapped, key) = (self.identities, self.rewrapped, &mut self.key);
        self.records.next(|line, tip| {
            if let Some(envelope) = line.envelope {
                let other = || unwrap(rewrapped?.envelope(line.index)?, identities);
                *key = unwrap(envelope, identities).or_else(other);
            }
            let body =
                key.as_ref().map_or(Body::Sealed, |key| decrypt(key, line).map_or(Body::Broken, Body::Open));
            let (index, kind, time, re, session) = (line.index, line.kind, line.time, line.re, line.session);
            Entry { index, kind, time, re, session, leaf: tip.leaf, body }
        })
    }
}

impl<R: Read> Iterator for Reader<'_, R> {
    type Item = Result<Entry, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let entry = self.entry().transpose();
        self.ended = !matches!(entry, Some(Ok(_)));
        self.failed = matches!(entry, Some(Err(_)));
        entry
    }
}
