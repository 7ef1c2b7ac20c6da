//! The profile of a key line: what it may sign, within which limits, with which defaults. TOML, strict: unknown and double
//! keys are refused.

mod bundle;
mod grant;
mod keys;
mod openid;
mod rotation;
mod saml;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

pub use self::bundle::Bundle;
pub use self::grant::{AccessToken, OobKeys, Provisioning, SoftwareStatement};
pub use self::keys::{Consumer, Jwks, Kubernetes, Spiffe};
pub use self::openid::{FOREVER, Lifetime, Openid};
pub use self::rotation::is_place;
pub(super) use self::rotation::{Channel, Rotation};
pub use self::saml::{Dates, KeyInfo, Reserved, Saml};
use super::{Brake, KIND, PROFILE, RULES, Severity, Waiver};
use crate::base::bytes::Digest;
use crate::base::clock::{Instant, Span};
use crate::base::fault::Fault;
use crate::base::text::{holds_private_key, without_value};
use crate::key::{Environment, Hash, Line};

/// What a key line may sign, with which limits and defaults.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The digest of the text that it was read from.
    #[serde(skip)]
    pub(super) source: Option<Digest>,
    /// What its text sets, one by one; nothing where it was not read.
    #[serde(skip)]
    pub(super) settings: Vec<(String, String)>,
    /// The version of this format: 1.
    pub version: u32,
    /// The kinds of documents the line may sign.
    pub kinds: Vec<String>,
    /// The document and section that this profile implements.
    pub policy_ref: String,
    /// Whether every signature needs `--reason`.
    #[serde(default)]
    pub require_reason: bool,
    /// What the ledger gives to others.
    #[serde(default)]
    pub ledger: Recorded,
    /// Limits and defaults for SAML metadata.
    #[serde(default)]
    pub saml: Saml,
    /// Limits for signed folders and lists of files.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bundle: Bundle,
    /// Limits for JSON Web Key sets.
    #[serde(default, skip_serializing_if = "is_default")]
    pub jwks: Jwks,
    /// Limits and defaults for a Kubernetes issuer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub kubernetes: Kubernetes,
    /// Limits and defaults for SPIFFE bundles.
    #[serde(default, skip_serializing_if = "is_default")]
    pub spiffe: Spiffe,
    /// Limits and defaults for documents of OpenID Federation.
    #[serde(default, skip_serializing_if = "is_default")]
    pub openid: Openid,
    /// Limits for authorisations of provisioning clients.
    #[serde(default, skip_serializing_if = "is_default")]
    pub provisioning: Provisioning,
    /// Limits for access tokens.
    #[serde(default, skip_serializing_if = "is_default")]
    pub access_token: AccessToken,
    /// Limits for software statements.
    #[serde(default, skip_serializing_if = "is_default")]
    pub software_statement: SoftwareStatement,
    /// Limits for the keys that an anchor hands out over another channel.
    #[serde(default, skip_serializing_if = "is_default")]
    pub oob_keys: OobKeys,
    /// How keys of the line are rotated.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rotation: Rotation,
    /// Where consumers find the keys of the line, where that differs from what its documents say by themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
    /// What a breach of these rules means, where it is not what the rule says by itself.
    #[serde(default)]
    pub rules: BTreeMap<String, Severity>,
    /// How much may change between two signatures before somebody has to say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brake: Option<Brake>,
    /// Breaches that are accepted for a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<Waiver>,
}

/// What the ledger gives to others.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recorded {
    /// Whether a proof of its entry is written beside each signed document.
    pub proof: bool,
}

impl Profile {
    /// The profile a new line gets when none is given: valid for 14 days, at most 28, cached for 6 hours. In a sandbox, rules
    /// about the content of documents only warn.
    pub fn built_in(kinds: &[&str], environment: Environment) -> Self {
        let lenient = RULES.iter().filter(|rule| {
            environment == Environment::Sandbox && rule.is_lenient_in_sandbox && kinds.contains(&rule.kind)
        });
        Self {
            source: None,
            settings: vec![],
            version: 1,
            kinds: kinds.iter().map(ToString::to_string).collect(),
            policy_ref: "built-in defaults of fedroot, version 1".into(),
            require_reason: false,
            ledger: Recorded::default(),
            saml: Saml::default(),
            bundle: Bundle::default(),
            jwks: Jwks::default(),
            kubernetes: Kubernetes::default(),
            spiffe: Spiffe::default(),
            openid: Openid::default(),
            provisioning: Provisioning::default(),
            access_token: AccessToken::default(),
            software_statement: SoftwareStatement::default(),
            oob_keys: OobKeys::default(),
            rotation: Rotation::default(),
            channels: vec![],
            rules: lenient.map(|rule| (rule.id.to_owned(), Severity::Warn)).collect(),
            brake: None,
            waivers: vec![],
        }
    }

    /// Reads a profile and checks that its limits make sense.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if holds_private_key(text) {
            return wrong("it holds a private key or an age identity, and everybody may read a profile");
        }
        let mut profile: Self = toml::from_str(text).map_err(|e| {
            let line =
                e.span().map_or(1, |span| text.get(..span.start).unwrap_or_default().split('\n').count());
            PROFILE.fault(format!("line {line}: {}", without_value(e.message())))
        })?;
        profile.source = Some(Self::digest(text));
        profile.settings = settings(text);
        if profile.version != 1 {
            return wrong("it has another version than 1, the only one this program knows");
        }
        if profile.kinds.is_empty() {
            return wrong("kinds is empty: the line could sign nothing");
        }
        if profile.policy_ref.trim().is_empty() {
            return wrong("policy_ref is empty: name the document and section that the limits come from");
        }
        if let Some(unknown) =
            profile.rules.keys().find(|id| !RULES.iter().any(|rule| rule.id == id.as_str()))
        {
            return wrong(&format!("there is no rule '{unknown}'"));
        }
        if let Some(rule) =
            RULES.iter().find(|rule| rule.has_fixed_weight() && profile.rules.contains_key(rule.id))
        {
            let (id, way) =
                (rule.id, if rule.is_firm { "" } else { "; a waiver names the one it lets pass" });
            return wrong(&format!("the rule '{id}' is firm: no profile gives it another weight{way}"));
        }
        profile.saml.check()?;
        profile.bundle.check()?;
        profile.jwks.check("jwks")?;
        profile.kubernetes.check()?;
        profile.spiffe.check()?;
        profile.openid.check()?;
        profile.provisioning.check()?;
        profile.access_token.check()?;
        profile.software_statement.check()?;
        profile.oob_keys.check()?;
        profile.oob_keys.adopt(&profile.openid)?;
        rotation::check(&profile.rotation, &profile.channels)?;
        for waiver in &profile.waivers {
            waiver.check()?;
        }
        if let Some(brake) = &profile.brake {
            brake.check()?;
        }
        Ok(profile)
    }

    /// The waiver that covers a breach of this rule by this entity at this time.
    pub fn waiver(&self, rule: &str, subject: &str, now: Instant) -> Option<&Waiver> {
        self.waivers.iter().find(|waiver| waiver.covers(rule, subject) && waiver.expires > now)
    }

    /// Refuses a kind of document that the profile of this line does not name.
    pub fn allow(&self, kind: &str, line: &Line) -> Result<(), Fault> {
        if self.kinds.iter().any(|allowed| allowed == kind) {
            return Ok(());
        }
        Err(KIND
            .fault(format!("{line} may sign {}, not {kind}", self.kinds.join(", ")))
            .hint("take a key line that is for this kind: `fedroot key list`"))
    }

    /// The profile as TOML.
    pub fn to_toml(&self) -> Result<String, Fault> {
        toml::to_string(self).map_err(|e| PROFILE.fault(format!("it cannot be written: {e}")))
    }

    /// The same limits, whose settings no record keeps: for the documents of a batch, as the record of the batch does.
    #[must_use]
    pub fn untold(&self) -> Self {
        Self { settings: vec![], ..self.clone() }
    }

    /// The digest of the profile's bytes, which requests and the ledger name.
    pub fn digest(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }
}

/// What a profile sets, one by one: names with dots between them, and values. Of a list, each value stands by itself.
fn settings(text: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    // who asks has read the text as a profile
    for (name, value) in toml::from_str::<toml::Table>(text).unwrap_or_default() {
        put_settings(name, value, &mut all);
    }
    all
}

fn put_settings(name: String, value: toml::Value, all: &mut Vec<(String, String)>) {
    match value {
        toml::Value::Table(table) => {
            for (inner, value) in table {
                put_settings(format!("{name}.{inner}"), value, all);
            }
        }
        toml::Value::Array(list) if !list.is_empty() => {
            let text = |value| match value {
                toml::Value::String(text) => text,
                other => other.to_string(),
            };
            all.extend(list.into_iter().map(|value| (name.clone(), text(value))));
        }
        toml::Value::String(text) => all.push((name, text)),
        other => all.push((name, other.to_string())),
    }
}

/// Refuses a profile.
fn wrong<T>(why: &str) -> Result<T, Fault> {
    Err(PROFILE.fault(why.to_owned()))
}

/// Whether a section says nothing of its own.
fn is_default<T: Default + PartialEq>(section: &T) -> bool {
    *section == T::default()
}

fn write_span<S: Serializer>(span: &Span, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(span)
}

fn read_span<'de, D: Deserializer<'de>>(from: D) -> Result<Span, D::Error> {
    Span::parse(&String::deserialize(from)?).map_err(D::Error::custom)
}

#[expect(clippy::ref_option, reason = "serde's shape")]
fn write_margin<S: Serializer>(span: &Option<Span>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&span.unwrap_or(Span::of_seconds(0)))
}

fn read_margin<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Span>, D::Error> {
    read_span(from).map(Some)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's shape")]
fn write_hash<S: Serializer>(hash: &Hash, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(hash.name())
}

fn read_hash<'de, D: Deserializer<'de>>(from: D) -> Result<Hash, D::Error> {
    let name = String::deserialize(from)?;
    Hash::ALL.into_iter().find(|hash| hash.name() == name).ok_or_else(|| {
        D::Error::custom(format!("there is no digest '{name}': take sha256, sha384 or sha512"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "version = 1\nkinds = [\"saml\"]\npolicy_ref = \"x\"\n";

    #[test]
    fn the_built_in_profile_survives_writing_and_reading() {
        for environment in Environment::ALL {
            let profile = Profile::built_in(&["saml"], environment);
            let text = profile.to_toml().unwrap();
            let read = Profile::parse(&text).unwrap();
            let of_text = (Some(Profile::digest(&text)), settings(&text));
            assert_eq!(read, Profile { source: of_text.0, settings: of_text.1, ..profile.clone() });
            assert_eq!(profile.rules.is_empty(), environment != Environment::Sandbox);
        }
        assert_eq!(Profile::parse(SMALL).unwrap().saml, Saml::default());
        let one = "[openid]\nentity_id = \"https://a.example\"\nalg = \"PS256\"\n";
        let keys = Profile::parse(&format!("{SMALL}{one}")).unwrap().oob_keys;
        assert_eq!((keys.entity_id.as_str(), keys.alg.as_str()), ("https://a.example", "PS256"));
    }

    #[test]
    fn profiles_that_could_surprise_are_refused() {
        for (added, why) in [
            ("colour = 1\n", "unknown field"),
            ("kinds = []\n", "duplicate key"),
            ("[saml]\nvalid_for = \"P1M\"\n", "months and years"),
            ("[saml]\nvalid_for = \"P30D\"\n", "longer than"),
            ("[saml]\ncache_duration = \"P20D\"\n", "not shorter"),
            ("[saml]\nrenew_before = \"P14D\"\n", "renew_before is not shorter"),
            ("[saml]\ndigest = \"sha1\"\n", "no digest 'sha1'"),
            ("[saml]\nkey_info = [\"password\"]\n", "unknown variant"),
            ("[saml]\nvalid_until = \"P3D\"\n", "unknown field"),
            ("[bundle]\nfiles_max = 0\n", "sign nothing"),
            ("[bundle]\njwt = true\n", "unknown field"),
            ("[jwks]\nkeys_max = 0\n", "sign nothing"),
            ("[jwks]\nconsumers = [\"ibm\"]\n", "unknown variant"),
            (
                "[openid]\nentity_id = \"https://a.example\"\n[oob_keys]\nentity_id = \"https://b.example\"\n",
                "oob_keys.entity_id is 'https://b.example', and openid.entity_id is 'https://a.example'",
            ),
            ("[kubernetes]\nissuer = \"http://k8s.example.org\"\n", "https://"),
            ("[spiffe]\nrefresh_hint = \"PT1S\"\n", "not between"),
            ("[rotation]\nquorum = 0\n", "nobody"),
            ("[[channels]]\nname = \"a b\"\nkind = \"jwks\"\n", "'a b'"),
            ("[[channels]]\nname = \"a\"\nkind = \"jwks\"\nrefresh = \"1 day\"\n", "not a duration"),
            ("[[channels]]\nname = \"a\"\nkind = \"jwks\"\npoints = [\"md.example.org/a\"]\n", "is no URL"),
            ("[rules]\n\"saml.valid-untill.past\" = \"warn\"\n", "no rule 'saml.valid-untill.past'"),
            ("[rules]\n\"saml.private-key\" = \"off\"\n", "unknown variant"),
        ] {
            let fault = Profile::parse(&format!("{SMALL}{added}")).unwrap_err();
            assert!(fault.message().contains(why), "{added}: {fault}");
        }
        for (wrong, why) in [
            ("", "missing field"),
            ("version = 2\nkinds = [\"saml\"]\npolicy_ref = \"x\"\n", "another version"),
            ("version = 1\nkinds = []\npolicy_ref = \"x\"\n", "sign nothing"),
            ("version = 1\nkinds = [\"saml\"]\npolicy_ref = \" \"\n", "policy_ref is empty"),
        ] {
            let fault = Profile::parse(wrong).unwrap_err();
            assert!(fault.message().contains(why), "{wrong}: {fault}");
        }
    }
}
