//! Limits and defaults for what lets a client in: provisioning authorisations, access tokens, software statements.

use serde::{Deserialize, Serialize};

use super::{Openid, wrong};
use crate::base::clock::Span;
use crate::base::fault::Fault;

/// Limits for authorisations of provisioning clients (SCIM).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Provisioning {
    /// Who says so: the claim `iss`. Without one the line signs none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub issuer: String,
    /// The `alg` of JOSE; RS256 for RSA and ES384 for P-384, when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alg: String,
    /// The SCIM base URLs that may be opened; no others may.
    pub audiences: Vec<String>,
    /// The scopes that may be granted; no others may.
    pub scopes: Vec<String>,
    /// How long an authorisation counts, where the document does not say.
    #[serde(serialize_with = "super::write_span", deserialize_with = "super::read_span")]
    pub valid_for: Span,
    /// How long it counts at most.
    #[serde(serialize_with = "super::write_span", deserialize_with = "super::read_span")]
    pub valid_for_max: Span,
    /// How long the client's own tokens live, where the document does not say.
    #[serde(serialize_with = "super::write_span", deserialize_with = "super::read_span")]
    pub token_lifetime: Span,
    /// How long they live at most; the environment has a limit of its own.
    #[serde(serialize_with = "super::write_span", deserialize_with = "super::read_span")]
    pub token_lifetime_max: Span,
    /// The most requests in a minute that may be granted.
    pub requests_per_minute_max: u64,
}

impl Default for Provisioning {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            alg: String::new(),
            audiences: vec![],
            scopes: vec![],
            valid_for: Span::of_days(90),
            valid_for_max: Span::of_days(398),
            token_lifetime: Span::of_seconds(600),
            token_lifetime_max: Span::of_days(1),
            // What Microsoft Entra asks of a service: 25 requests each second.
            requests_per_minute_max: 1_500,
        }
    }
}

impl Provisioning {
    pub(super) fn check(&self) -> Result<(), Fault> {
        ordered("provisioning.valid_for", self.valid_for, self.valid_for_max)?;
        ordered("provisioning.token_lifetime", self.token_lifetime, self.token_lifetime_max)?;
        issuer("provisioning", &self.issuer)
    }
}

/// Limits for access tokens.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessToken {
    /// Who says so: the claim `iss`. Without one the line signs none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub issuer: String,
    /// The `alg` of JOSE; RS256 for RSA and ES384 for P-384, when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alg: String,
    /// The services that a token may be for; no others may.
    pub audiences: Vec<String>,
    /// The scopes that may be granted; no others may.
    pub scopes: Vec<String>,
    /// How long a token lives, where the document does not say.
    #[serde(serialize_with = "super::write_span", deserialize_with = "super::read_span")]
    pub valid_for: Span,
    /// How long it lives at most; the environment has a limit of its own.
    #[serde(serialize_with = "super::write_span", deserialize_with = "super::read_span")]
    pub valid_for_max: Span,
}

impl Default for AccessToken {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            alg: String::new(),
            audiences: vec![],
            scopes: vec![],
            valid_for: Span::of_seconds(600),
            valid_for_max: Span::of_days(1),
        }
    }
}

impl AccessToken {
    pub(super) fn check(&self) -> Result<(), Fault> {
        ordered("access_token.valid_for", self.valid_for, self.valid_for_max)?;
        issuer("access_token", &self.issuer)
    }
}

/// Limits for software statements.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SoftwareStatement {
    /// Who says so: the claim `iss`. Without one the line signs none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub issuer: String,
    /// The `alg` of JOSE; RS256 for RSA and ES384 for P-384, when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alg: String,
    /// How long a statement counts, where the document does not say.
    #[serde(serialize_with = "super::write_span", deserialize_with = "super::read_span")]
    pub valid_for: Span,
    /// How long it counts at most.
    #[serde(serialize_with = "super::write_span", deserialize_with = "super::read_span")]
    pub valid_for_max: Span,
}

impl Default for SoftwareStatement {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            alg: String::new(),
            valid_for: Span::of_days(180),
            valid_for_max: Span::of_days(398),
        }
    }
}

impl SoftwareStatement {
    pub(super) fn check(&self) -> Result<(), Fault> {
        ordered("software_statement.valid_for", self.valid_for, self.valid_for_max)?;
        issuer("software_statement", &self.issuer)
    }
}

/// Limits for the keys that an anchor hands out over another channel.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct OobKeys {
    /// Whose keys they are: the entity identifier; that of [`Openid`], when empty. Without either the line signs none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub entity_id: String,
    /// The `alg` of JOSE; that of [`Openid`], when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alg: String,
    /// How long a document counts.
    #[serde(serialize_with = "super::write_span", deserialize_with = "super::read_span")]
    pub valid_for: Span,
}

impl Default for OobKeys {
    fn default() -> Self {
        Self { entity_id: String::new(), alg: String::new(), valid_for: Span::of_days(365) }
    }
}

impl OobKeys {
    pub(super) fn check(&self) -> Result<(), Fault> {
        issuer("oob_keys", &self.entity_id)
    }

    /// The keys that are handed out are those of the entity that the line signs for: what is not said here is said there.
    pub(super) fn adopt(&mut self, anchor: &Openid) -> Result<(), Fault> {
        for (name, own, theirs) in
            [("entity_id", &mut self.entity_id, &anchor.entity_id), ("alg", &mut self.alg, &anchor.alg)]
        {
            if own.is_empty() {
                own.clone_from(theirs);
            } else if !theirs.is_empty() && own != theirs {
                return wrong(&format!("oob_keys.{name} is '{own}', and openid.{name} is '{theirs}'"));
            }
        }
        Ok(())
    }
}

fn ordered(name: &str, usual: Span, most: Span) -> Result<(), Fault> {
    if usual > most {
        return wrong(&format!("{name} is longer than {name}_max"));
    }
    Ok(())
}

fn issuer(section: &str, issuer: &str) -> Result<(), Fault> {
    if !issuer.is_empty() && !issuer.starts_with("https://") {
        return wrong(&format!("the one who signs, in [{section}], does not begin with https://"));
    }
    Ok(())
}
