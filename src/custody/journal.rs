//! What the ledger says of keys, in the clear, for the machine that cannot read the ledger: which keys were made, how they
//! moved, what they signed and until when, what was seen to be published. `journal.jsonl` only grows.
//!
//! A line is durable before its entry is, and the same line stands inside the entry. So the ledger decides: a line whose entry
//! never came is void, an entry without its line means that the journal is an old copy, and an auditor can make it anew.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::JOURNAL;
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::key::KeyId;
use crate::lifecycle::{Cause, Lists, Move, Step};

/// One line of the journal: what an entry of the ledger says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Noted {
    /// The index of the entry in the ledger.
    pub entry: u64,
    /// The time that it claims.
    pub time: String,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum What {
    /// A key was made or adopted.
    Made {
        /// Which.
        key: String,
        /// The digest of its record.
        record: String,
        /// Whether it is kept for an emergency.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        standby: bool,
        /// Its certificate.
        certificate: Document,
    },
    /// A key moved to another stage.
    Moved {
        /// Which.
        key: String,
        /// The name of the move.
        act: String,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// For a revocation: why, as a term of OpenID Federation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<String>,
        /// For a revocation: the earliest suspected time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<String>,
        /// Whether it was part of an emergency.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        emergency: bool,
    },
    /// A key got another certificate.
    Certified {
        /// Which.
        key: String,
        /// The certificate.
        certificate: Document,
    },
    /// A key signed.
    Signed {
        /// Which.
        key: String,
        /// The kind of document.
        kind: String,
        /// The channel of the line that it belonged to then; what counts is the kind.
        channel: String,
        /// The documents; of a batch, those that list keys or take the place of others.
        documents: Vec<Document>,
        /// The other documents of a batch: how many end when.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        ends: BTreeMap<String, u64>,
        /// Of a batch: the digest of the list of its documents' digests.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        artefacts: Option<String>,
        /// Of a single document: the digest of the record that the next review compares with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<String>,
        /// The documents, where they are too many for a line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept: Option<Kept>,
    },
    /// An artefact was seen where it is published.
    Seen {
        /// The key line.
        line: String,
        /// The digest of what was fetched.
        digest: String,
        /// Of a document of a batch: the digest of the one that stands for all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<String>,
        /// When.
        seen: String,
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// The words of the officer who says so, where nothing was fetched.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<String>,
    },
    /// A document was seen that an adopted key had signed elsewhere, before this vault had it.
    Elsewhere {
        /// Which.
        key: String,
        /// The kind of document.
        kind: String,
        /// The channel of the line that it belonged to then; what counts is the kind.
        channel: String,
        /// The document.
        document: Document,
        /// When.
        seen: String,
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// The words of the officer who says so, where nothing was fetched.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<String>,
    },
    /// A signed document was never published, as an officer says: nothing waits for it, unless somebody sees it.
    Withheld {
        /// The key line that signed it, or whose keys it carries.
        line: String,
        /// The digest of the document.
        digest: String,
        /// The words of the officer who says so.
        said: String,
    },
    /// An outcome that changes nothing: what was begun failed.
    Nothing {},
    /// What became of an intent is not known.
    Unknown {
        /// The intent.
        intent: u64,
    },
    /// The ledger began anew after a break; the lines before hold.
    Resealed {},
    /// The line before was never followed by its entry.
    Void {},
}

/// Documents that stand in a list beside the ledger, each as a line of JSON.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The digest of the list.
    pub documents: String,
    /// The key lines whose keys they carry.
    pub carries: BTreeSet<String>,
}

/// A signed document.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Its name, for people.
    pub name: String,
    /// The digest of the file.
    pub digest: String,
    /// When it ends; never, where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Which keys of the line it lists; none where it is no artefact that lists keys. `[0]` stands for itself alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<u32>,
    /// Its kind, where a batch has documents of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What it is about, where it never ends, carries keys, or the one before about the same did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The digest of what it is about, where a line signs about many side by side: so the loss of a record is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Which keys of the vault it carries for consumers to find: those of any line, where documents are no anchors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carries: Vec<Carries>,
}

/// The keys of a line in a document.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Carries {
    /// The line.
    pub line: String,
    /// The kind of channel.
    pub channel: String,
    /// The versions; none, where the document before about the same listed some.
    pub keys: Vec<u32>,
}

impl Document {
    /// A document that a key signed.
    pub fn new(name: &str, digest: Digest, expires: Option<Instant>, lists: &Lists) -> Self {
        let lists = match lists {
            Lists::Nothing => vec![],
            Lists::Own => vec![OWN],
            Lists::Keys(versions) => versions.iter().copied().collect(),
        };
        let expires = expires.map(|at| at.to_string());
        let name = name.chars().take(300).collect();
        Self {
            name,
            digest: digest.to_string(),
            expires,
            lists,
            kind: None,
            subject: None,
            about: None,
            carries: Vec::new(),
        }
    }

    /// The same, with whom the next review compares by.
    #[must_use]
    pub fn about(self, subject: &str) -> Self {
        let about = (!subject.is_empty()).then(|| Digest::of(subject.as_bytes()).to_string());
        Self { about, ..self }
    }

    /// The same, which is about this and carries these keys.
    #[must_use]
    pub fn carrying(self, subject: &str, carries: Vec<Carries>) -> Self {
        let is_told = !carries.is_empty() || self.expires.is_none() && !subject.is_empty();
        Self { subject: is_told.then(|| subject.to_owned()), carries, ..self }
    }

    /// Which keys of the line it lists.
    pub fn lists(&self) -> Lists {
        match self.lists.as_slice() {
            [] => Lists::Nothing,
            [OWN] => Lists::Own,
            versions => Lists::Keys(versions.iter().copied().collect()),
        }
    }
}

/// Stands for the key that signed, and says nothing of the others. Versions count from 1.
const OWN: u32 = 0;

impl What {
    /// The move of a key.
    pub(super) fn moved(key: &KeyId, step: &Step) -> Self {
        Self::Moved {
            key: key.to_string(),
            act: step.act.name().into(),
            reason: step.reason.clone(),
            cause: (step.act == Move::Revoke).then(|| step.cause.name().into()),
            since: step.since.map(|since| since.to_string()),
            emergency: step.emergency,
        }
    }

    /// The key lines that it is about: that of the key, and those whose keys its documents carry.
    pub(super) fn lines(&self) -> BTreeSet<&str> {
        let own = match self {
            Self::Made { key, .. }
            | Self::Moved { key, .. }
            | Self::Certified { key, .. }
            | Self::Signed { key, .. }
            | Self::Elsewhere { key, .. } => key.split_once('#').map(|(line, _)| line),
            Self::Seen { line, .. } | Self::Withheld { line, .. } => Some(line.as_str()),
            Self::Nothing {} | Self::Unknown { .. } | Self::Resealed {} | Self::Void {} => None,
        };
        let (documents, kept) = match self {
            Self::Signed { documents, kept, .. } => (documents.as_slice(), kept.as_ref()),
            _ => (&[][..], None),
        };
        let carried = documents.iter().flat_map(|document| &document.carries);
        let carried =
            carried.map(|carries| &carries.line).chain(kept.into_iter().flat_map(|kept| &kept.carries));
        own.into_iter().chain(carried.map(String::as_str)).collect()
    }
}

impl Noted {
    /// When.
    pub fn time(&self) -> Result<Instant, Fault> {
        Instant::parse(&self.time)
    }

    /// The line of a beginning anew.
    pub fn resealed(entry: u64, time: Instant) -> Self {
        Self { entry, time: time.to_string(), what: What::Resealed {} }
    }

    /// The line that the body of an entry holds; nothing, where it holds none.
    pub fn from_entry(body: &serde_json::Value) -> Option<Result<Self, Fault>> {
        let line = body.get(MEMBER)?.clone();
        Some(serde_json::from_value(line).map_err(|e| damaged(&e.to_string())))
    }

    pub(super) fn to_line(&self) -> Result<String, Fault> {
        let text = serde_json::to_string(self).map_err(|e| damaged(&e.to_string()))?;
        Ok(text + "\n")
    }
}

pub(super) fn damaged(why: &str) -> Fault {
    JOURNAL.fault(why.to_owned()).hint(ANEW)
}

/// The way out of every disagreement.
const ANEW: &str =
    "put the newest copy back, or make it anew with an auditor: `fedroot ledger rebuild --identity FILE`";

/// Its name in the vault.
pub const NAME: &str = "journal.jsonl";
/// The member of an entry's body that holds its line.
pub(super) const MEMBER: &str = "journal";

/// Reads the cause of a revocation as it was written.
pub(super) fn cause(name: Option<&str>) -> Cause {
    [Cause::Compromised, Cause::Superseded]
        .into_iter()
        .find(|cause| Some(cause.name()) == name)
        .unwrap_or(Cause::Unspecified)
}
