//! Limits and defaults for SAML metadata.

use serde::{Deserialize, Serialize};

use super::wrong;
use crate::base::clock::Span;
use crate::base::fault::Fault;
use crate::key::Hash;

/// Limits and defaults for SAML metadata.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Saml {
    /// The hash of the document, and of RSA signatures.
    #[serde(serialize_with = "super::write_hash", deserialize_with = "super::read_hash")]
    pub digest: Hash,
    /// Whether `validUntil` and `cacheDuration` are set from here or kept where the document has them.
    pub dates: Dates,
    /// How long a signed document is valid.
    #[serde(serialize_with = "super::write_span", deserialize_with = "super::read_span")]
    pub valid_for: Span,
    /// How long it may be valid at most, whoever set it.
    #[serde(serialize_with = "super::write_span", deserialize_with = "super::read_span")]
    pub valid_for_max: Span,
    /// How long consumers may keep it without looking again.
    #[serde(serialize_with = "super::write_span", deserialize_with = "super::read_span")]
    pub cache_duration: Span,
    /// What the signature says of the key. Consumers must not rely on it.
    pub key_info: Vec<KeyInfo>,
    /// The registrars whose entities may be signed; any, when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub registrars: Vec<String>,
    /// Entity attributes that only some registrars may give.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reserved: Vec<Reserved>,
}

/// An entity attribute that only some registrars may give.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Reserved {
    /// Its value, such as the URI of an entity category.
    pub value: String,
    /// Who may give it.
    pub registrars: Vec<String>,
}

/// Where `validUntil` and `cacheDuration` come from.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dates {
    /// From the profile, always.
    Replace,
    /// From the document, and from the profile where the document has none of both.
    Keep,
}

/// What a signature may say of its key.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyInfo {
    /// The line's certificate, as `ds:X509Data`.
    Certificate,
    /// The key's identifier, as `ds:KeyName`.
    KeyName,
    /// The public key itself, as `ds:KeyValue`.
    KeyValue,
}

impl Default for Saml {
    fn default() -> Self {
        Self {
            digest: Hash::Sha256,
            dates: Dates::Replace,
            valid_for: Span::of_days(14),
            valid_for_max: Span::of_days(28),
            cache_duration: Span::of_seconds(6 * 3_600),
            key_info: vec![KeyInfo::Certificate],
            registrars: vec![],
            reserved: vec![],
        }
    }
}

impl Saml {
    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.valid_for > self.valid_for_max {
            return wrong("saml.valid_for is longer than saml.valid_for_max");
        }
        if self.cache_duration >= self.valid_for {
            return wrong(
                "saml.cache_duration is not shorter than saml.valid_for: caches would outlive the document",
            );
        }
        Ok(())
    }
}
