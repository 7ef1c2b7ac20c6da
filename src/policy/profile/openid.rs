//! Limits and defaults for documents of OpenID Federation.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::wrong;
use crate::base::clock::Span;
use crate::base::fault::Fault;

/// Limits and defaults for documents of OpenID Federation.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Openid {
    /// The Entity Identifier that the line signs for: one line, one entity. Without one it signs none of these documents.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub entity_id: String,
    /// The way its keys sign, by its name in JOSE; RS256 for RSA and the only way of a curve, when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alg: String,
    /// The superiors that the entity may name; a trust anchor has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authority_hints: Vec<String>,
    /// Entities of the real federation: a line of another environment signs neither as one nor about one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub production: Vec<String>,
    /// Operators of metadata policies that the federation defines itself, beside those of the standard. They are signed, and
    /// nothing here judges them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<String>,
    /// How long an entity configuration is valid.
    pub configuration: Lifetime,
    /// How long a statement about a subordinate is valid.
    pub subordinate: Lifetime,
    /// How long a trust mark is valid.
    pub trust_mark: Lifetime,
    /// How long leave to issue a trust mark is valid.
    pub delegation: Lifetime,
    /// How long a signed set of keys is valid.
    pub jwk_set: Lifetime,
}

/// How long a document is valid.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Lifetime {
    /// Where the document does not say.
    #[serde(serialize_with = "super::write_span", deserialize_with = "super::read_span")]
    pub usual: Span,
    /// At least: longer than it takes to sign the next one and to bring it out.
    #[serde(serialize_with = "super::write_span", deserialize_with = "super::read_span")]
    pub min: Span,
    /// At most; `forever` where trust marks and leave to issue them may have no end.
    #[serde(serialize_with = "write_max", deserialize_with = "read_max")]
    pub max: Span,
}

/// What stands for no end at all, in profiles and in documents.
pub const FOREVER: &str = "forever";
const UNLIMITED: Span = Span::of_seconds(i64::MAX);

fn write_max<S: Serializer>(span: &Span, to: S) -> Result<S::Ok, S::Error> {
    if *span == UNLIMITED { to.serialize_str(FOREVER) } else { to.collect_str(span) }
}

fn read_max<'de, D: Deserializer<'de>>(from: D) -> Result<Span, D::Error> {
    match String::deserialize(from)?.as_str() {
        FOREVER => Ok(UNLIMITED),
        text => Span::parse(text).map_err(D::Error::custom),
    }
}

impl Lifetime {
    /// Whether what is signed may have no end.
    pub fn is_unlimited(&self) -> bool {
        self.max == UNLIMITED
    }

    /// How long before its end a document of so many seconds is signed anew: a third of its time, and time enough to sign
    /// the next one.
    pub fn renewal(&self, seconds: i64) -> Span {
        Span::of_seconds((seconds / 3).max(self.min.seconds()))
    }

    const fn days(usual: i64, min: i64, max: i64) -> Self {
        Self { usual: Span::of_days(usual), min: Span::of_days(min), max: Span::of_days(max) }
    }
}

/// A root key is offline: what it signs lives as long as it takes to hold the next ceremony.
impl Default for Openid {
    fn default() -> Self {
        Self {
            entity_id: String::new(),
            alg: String::new(),
            authority_hints: vec![],
            production: vec![],
            operators: vec![],
            configuration: Lifetime::days(30, 1, 100),
            subordinate: Lifetime::days(30, 1, 100),
            trust_mark: Lifetime::days(365, 1, 730),
            delegation: Lifetime::days(365, 1, 1_096),
            jwk_set: Lifetime::days(30, 1, 100),
        }
    }
}

impl Openid {
    /// The setting without which a line signs none of these documents.
    pub const ENTITY: &str = "openid.entity_id";

    pub(super) fn check(&self) -> Result<(), Fault> {
        let lifetimes = [
            ("configuration", self.configuration),
            ("subordinate", self.subordinate),
            ("trust_mark", self.trust_mark),
            ("delegation", self.delegation),
            ("jwk_set", self.jwk_set),
        ];
        for (name, lifetime) in lifetimes {
            if !(lifetime.min..=lifetime.max).contains(&lifetime.usual) {
                return wrong(&format!("openid.{name}.usual is not between min and max"));
            }
            if lifetime.is_unlimited() && !["trust_mark", "delegation"].contains(&name) {
                return wrong(&format!("openid.{name}.max is {FOREVER}, and these documents end"));
            }
        }
        if !self.entity_id.is_empty() && !self.entity_id.starts_with("https://") {
            return wrong("openid.entity_id does not begin with https://");
        }
        Ok(())
    }
}
