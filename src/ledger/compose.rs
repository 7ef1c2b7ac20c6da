//! Writing a line: public part, confidential part, seal.

use serde_json::Value;

use crate::base::bytes::{Digest, base64};
use crate::base::clock::Instant;
use crate::base::fault::Fault;

use super::entry::{Head, LINE_MAX, Repair};
use super::session::{Opening, Sealed, Session};
use super::state::State;
use super::tree::Hash;
use super::{CLOCK, EntryKind, TOO_LARGE};

/// What an entry is to say.
#[derive(Clone, Copy)]
pub(super) struct Draft<'a> {
    pub(super) kind: EntryKind,
    pub(super) re: Option<u64>,
    /// The root over the digests of a batch.
    pub(super) root: Option<Hash>,
    pub(super) repair: Repair,
    pub(super) body: &'a Value,
    pub(super) now: Instant,
    /// The digest of the journal up to the line of this entry.
    pub(super) journal: Option<Digest>,
}

impl<'a> Draft<'a> {
    /// An entry that stands for itself.
    pub(super) fn new(kind: EntryKind, body: &'a Value, now: Instant) -> Self {
        Self { kind, re: None, root: None, repair: Repair::default(), body, now, journal: None }
    }

    /// An entry that closes an intent.
    pub(super) fn closing(kind: EntryKind, re: u64, body: &'a Value, now: Instant) -> Self {
        Self { re: Some(re), ..Self::new(kind, body, now) }
    }
}

/// Writes and seals the line that follows a state, with its line feed. What opens it comes with it.
pub(super) fn compose(
    state: &State,
    session: &Session,
    salt: &[u8; 16],
    draft: &Draft<'_>,
) -> Result<(Vec<u8>, Opening), Fault> {
    let Draft { kind, re, root, repair, body, now, .. } = *draft;
    if now.unix() < 0 {
        return Err(CLOCK
            .fault(format!("the clock says {now}"))
            .hint("set the clock right (date -u shows it)"));
    }
    let index = state.tip.tree.size();
    let genesis = (kind == EntryKind::Genesis).then(|| (state.origin.as_str(), state.seed.public()));
    let (prev, first) = (&state.tip.leaf, session.first.unwrap_or(index));
    let head = Head {
        index,
        kind,
        time: now,
        prev,
        genesis,
        re,
        root,
        repair,
        session: first,
        envelope: session.envelope(),
    }
    .text();
    let Sealed { commitment, ciphertext, opening } = session.encrypt(salt, head.as_bytes(), body)?;
    let (n, c, x) = (base64(salt), base64(&commitment), base64(&ciphertext));
    let sealed =
        format!(r#"{head},"n":"{n}","c":"{c}","x":"{x}","pk":"{}""#, base64(&state.seed.next().public()));
    let seal = base64(&state.seed.sign(&state.origin, sealed.as_bytes()));
    let line = format!("{sealed},\"sig\":\"{seal}\"}}\n").into_bytes();
    if line.len() > LINE_MAX + 1 {
        return Err(TOO_LARGE
            .fault(format!("an entry of {} bytes does not fit into a line of {LINE_MAX}", line.len()))
            .hint("say less in it"));
    }
    Ok((line, opening))
}
