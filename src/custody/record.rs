//! The public file that describes a key in the vault.

use serde::{Deserialize, Serialize};

use super::{TAMPERED, VAULT};
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::key::{KeyId, Line, PublicKey};
use crate::lifecycle::{KeyState, Stage};

/// A key's public record: `VERSION.toml` in its line's folder. Read strictly: unknown keys are refused.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    version: u32,
    line: String,
    key: u32,
    algorithm: String,
    created: String,
    adopted: bool,
    /// What the key is sealed to: `passphrase`, or age recipients.
    sealed_to: Vec<String>,
    sealed_digest: String,
    fingerprint: String,
    public_key: String,
    #[serde(skip)]
    read: Option<PublicKey>,
    #[serde(skip)]
    state: Option<KeyState>,
}

/// What a new record says.
pub(super) struct NewRecord<'a> {
    pub(super) key: &'a KeyId,
    pub(super) public: &'a PublicKey,
    pub(super) created: Instant,
    pub(super) adopted: bool,
    pub(super) sealed_to: Vec<String>,
    pub(super) sealed: &'a [u8],
}

/// What stands in `sealed_to` of a key sealed with a passphrase.
pub(super) const PASSPHRASE: &str = "passphrase";

impl Record {
    pub(super) fn new(new: NewRecord<'_>) -> Result<Self, Fault> {
        Ok(Self {
            version: 1,
            line: new.key.line.to_string(),
            key: new.key.version,
            algorithm: new.public.algorithm().name().into(),
            created: new.created.to_string(),
            adopted: new.adopted,
            sealed_to: new.sealed_to,
            sealed_digest: Digest::of(new.sealed).to_string(),
            fingerprint: new.public.fingerprint().to_string(),
            public_key: new.public.to_pem()?,
            read: Some(new.public.clone()),
            state: None,
        })
    }

    /// Reads the record of this key. A record that speaks of another key, or contradicts itself, is refused.
    pub(super) fn parse(text: &str, key: &KeyId) -> Result<Self, Fault> {
        let mut record: Self =
            toml::from_str(text).map_err(|e| VAULT.fault(format!("the record of {key}: {}", e.message())))?;
        if record.version != 1 {
            return Err(VAULT.fault(format!("the record of {key} has version {}, not 1", record.version)));
        }
        if record.line != key.line.to_string() || record.key != key.version {
            return Err(TAMPERED
                .fault(format!("the record of {key} describes {}#{}", record.line, record.key))
                .hint("a key never moves between lines or environments: put the folder back where it was"));
        }
        let public = PublicKey::from_pem(&record.public_key)?;
        if public.fingerprint().to_string() != record.fingerprint
            || public.algorithm().name() != record.algorithm
        {
            return Err(
                TAMPERED.fault(format!("the record of {key} contradicts itself: its public key is another"))
            );
        }
        record.read = Some(public);
        Ok(record)
    }

    pub(super) fn to_toml(&self) -> Result<String, Fault> {
        toml::to_string(self).map_err(|e| VAULT.fault(format!("a record cannot be written: {e}")))
    }

    /// The key.
    pub fn key(&self) -> Result<KeyId, Fault> {
        Ok(self.line.parse::<Line>()?.version(self.key))
    }

    /// Its public half.
    pub fn public(&self) -> Result<PublicKey, Fault> {
        self.read.clone().map_or_else(|| PublicKey::from_pem(&self.public_key), Ok)
    }

    /// The record with where the key stands in its life, as the journal says.
    pub(super) fn at(mut self, state: KeyState) -> Self {
        self.state = Some(state);
        self
    }

    /// Where it stands in its life.
    pub fn stage(&self) -> Stage {
        self.state.map_or(Stage::Generated, |state| state.stage)
    }

    /// The times of its life.
    pub const fn state(&self) -> Option<&KeyState> {
        self.state.as_ref()
    }

    /// When it was made, or adopted.
    pub fn created(&self) -> &str {
        &self.created
    }

    /// Whether it was made elsewhere.
    pub const fn is_adopted(&self) -> bool {
        self.adopted
    }

    /// What it is sealed to: `passphrase`, or age recipients.
    pub fn sealed_to(&self) -> &[String] {
        &self.sealed_to
    }

    /// The digest of the sealed file.
    pub fn sealed_digest(&self) -> &str {
        &self.sealed_digest
    }

    pub(super) fn opens_with_passphrase(&self) -> bool {
        self.sealed_to.iter().any(|to| to == PASSPHRASE)
    }
}
