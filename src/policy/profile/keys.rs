//! Limits and defaults for documents that are sets of keys: plain sets, a Kubernetes issuer, SPIFFE bundles.

use serde::{Deserialize, Serialize};

use super::wrong;
use crate::base::clock::Span;
use crate::base::fault::Fault;

/// Who reads a set of keys: each has limits of its own.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consumer {
    /// AWS STS, `AssumeRoleWithWebIdentity`.
    Aws,
    /// Microsoft Entra workload identity federation.
    Azure,
    /// Google Cloud workload identity federation.
    Gcp,
    /// Oracle Cloud API gateway.
    Oracle,
    /// A Kubernetes API server.
    Kubernetes,
}

/// Limits for JSON Web Key sets.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jwks {
    /// Who reads the set.
    pub consumers: Vec<Consumer>,
    /// The most keys in it.
    pub keys_max: u64,
}

impl Default for Jwks {
    fn default() -> Self {
        Self { consumers: vec![], keys_max: 100 }
    }
}

impl Jwks {
    pub(super) fn check(&self, section: &str) -> Result<(), Fault> {
        check_keys_max(section, self.keys_max)
    }
}

/// Limits and defaults for a Kubernetes issuer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kubernetes {
    /// The issuer that the line is for; whatever the document names, when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub issuer: String,
    /// Who reads the set.
    pub consumers: Vec<Consumer>,
    /// The most keys in it.
    pub keys_max: u64,
}

impl Default for Kubernetes {
    fn default() -> Self {
        Self { issuer: String::new(), consumers: vec![Consumer::Kubernetes], keys_max: 100 }
    }
}

impl Kubernetes {
    pub(super) fn check(&self) -> Result<(), Fault> {
        if !self.issuer.is_empty() && !self.issuer.starts_with("https://") {
            return wrong("kubernetes.issuer does not begin with https://");
        }
        check_keys_max("kubernetes", self.keys_max)
    }
}

/// Limits and defaults for SPIFFE bundles.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spiffe {
    /// The trust domain that the line is for. Without one the line signs no bundle.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub trust_domain: String,
    /// How long consumers wait before they look again, where the document does not say.
    #[serde(serialize_with = "super::write_span", deserialize_with = "super::read_span")]
    pub refresh_hint: Span,
    /// The shortest wait that may be signed.
    #[serde(serialize_with = "super::write_span", deserialize_with = "super::read_span")]
    pub refresh_hint_min: Span,
    /// The longest wait that may be signed.
    #[serde(serialize_with = "super::write_span", deserialize_with = "super::read_span")]
    pub refresh_hint_max: Span,
    /// Who reads the keys for JWT-SVIDs.
    pub consumers: Vec<Consumer>,
    /// The most keys in it.
    pub keys_max: u64,
}

impl Default for Spiffe {
    fn default() -> Self {
        Self {
            trust_domain: String::new(),
            refresh_hint: Span::of_seconds(300),
            refresh_hint_min: Span::of_seconds(60),
            refresh_hint_max: Span::of_days(1),
            consumers: vec![],
            keys_max: 100,
        }
    }
}

impl Spiffe {
    pub(super) fn check(&self) -> Result<(), Fault> {
        if !(self.refresh_hint_min..=self.refresh_hint_max).contains(&self.refresh_hint) {
            return wrong("spiffe.refresh_hint is not between refresh_hint_min and refresh_hint_max");
        }
        check_keys_max("spiffe", self.keys_max)
    }
}

fn check_keys_max(section: &str, keys_max: u64) -> Result<(), Fault> {
    if keys_max == 0 {
        return wrong(&format!("{section}.keys_max is 0: the line could sign nothing"));
    }
    Ok(())
}
