//! One entity of a federation as rules and differences see it: plain data that a kind of document fills in while it streams
//! past, one entity at a time.

use std::fmt;
use std::sync::Arc;

use crate::base::bytes::Digest;
use crate::base::clock::Instant;

/// The extension in which keys stand that vouch for others (shibmd:KeyAuthority).
pub(super) const KEY_AUTHORITY: &str = "KeyAuthority";

/// One entity. Every text is foreign.
#[derive(Clone, Debug, Default)]
pub struct Entity {
    /// Its entityID; empty when it has none.
    pub id: String,
    /// Where it begins.
    pub place: Place,
    /// What it does, in the order of the document.
    pub roles: Vec<Role>,
    /// Who registered it.
    pub registrations: Vec<Registration>,
    /// What its groups give it.
    pub inherited: Option<Arc<Inherited>>,
    /// Entity attributes of its own: name and value.
    pub attributes: Vec<(String, String)>,
    /// Keys of its own that vouch for its keys (shibmd:KeyAuthority).
    pub authorities: Vec<Key>,
    /// The names of those whose NameFormat is not that of a URI.
    pub unformatted: Vec<String>,
    /// The algorithms that it declares, by their URIs.
    pub algorithms: Vec<String>,
    /// Extensions that stand where nobody looks for them: what, and where.
    pub misplaced: Vec<String>,
    /// Whom to ask about it.
    pub contacts: Vec<Contact>,
    /// Who runs it.
    pub organization: Option<Organization>,
    /// How long consumers may keep it, where it says so itself.
    pub cache_duration: Option<String>,
    /// The digest of everything it says.
    pub content: [u8; 16],
    /// Whether it has more parts than are looked at.
    pub is_cut: bool,
}

/// What groups give every entity in them, the outermost first.
#[derive(Clone, Debug, Default)]
pub struct Inherited {
    /// The names of the groups, the root's aside.
    pub groups: Vec<String>,
    /// Entity attributes: name and value.
    pub attributes: Vec<(String, String)>,
    /// Keys that vouch for the keys of each (shibmd:KeyAuthority).
    pub authorities: Vec<Key>,
}

/// A place in a document, for people.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// Counted from 1.
    pub line: u64,
    /// In characters, counted from 1.
    pub column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// What an entity does.
#[derive(Clone, Debug, Default)]
pub struct Role {
    /// Its element, such as `IDPSSODescriptor`.
    pub name: String,
    /// Its `xsi:type`, where it has one: of `RoleDescriptor` nothing else says what it is.
    pub kind: Option<String>,
    /// The protocols it supports, as written; `None` when it does not say.
    pub protocols: Option<String>,
    /// Where people are sent when something fails.
    pub error_url: Option<String>,
    /// Whether it says that it signs its requests.
    pub signs_requests: bool,
    /// Where it is reached.
    pub endpoints: Vec<Endpoint>,
    /// Its keys.
    pub keys: Vec<Key>,
    /// The scopes it may assert.
    pub scopes: Vec<Scope>,
    /// What is shown of it to people: `DisplayName`, `ServiceName` and the like.
    pub texts: Vec<Text>,
    /// Its logos.
    pub logos: Vec<String>,
    /// The attributes it asks for.
    pub requested: Vec<String>,
    /// Other attributes of its element, such as `WantAssertionsSigned`, and its elements that are one value, such as
    /// `NameIDFormat` and `AffiliateMember`: name and value.
    pub settings: Vec<(String, String)>,
}

/// Where a role is reached.
#[derive(Clone, Debug, Default)]
pub struct Endpoint {
    /// Its element, such as `SingleSignOnService`.
    pub service: String,
    /// How to talk to it.
    pub binding: String,
    /// Where it is.
    pub location: String,
    /// Where answers go, if elsewhere.
    pub response: Option<String>,
    /// Its number.
    pub index: Option<String>,
    /// Whether it is the one that is taken when nobody chooses, as written.
    pub is_default: Option<String>,
}

/// A key of a role.
#[derive(Clone, Debug, Default)]
pub struct Key {
    /// `signing`, `encryption`, or nothing for both.
    pub purpose: Option<String>,
    /// Its certificates; `None` for one that cannot be read.
    pub certificates: Vec<Option<Certificate>>,
    /// Keys that are given without a certificate; `None` for one that cannot be read.
    pub others: Vec<Option<Certificate>>,
    /// What tells everything by which consumers find the key, in its order: a digest of 32 bytes for each `ds:KeyInfo`.
    pub told: Vec<u8>,
}

/// What a certificate says, or a key without one.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The digest of its SubjectPublicKeyInfo.
    pub fingerprint: Digest,
    /// That of all of it, in DER; nothing where there is no certificate.
    pub digest: Option<Digest>,
    /// Its key.
    pub strength: Strength,
    /// The end of its validity; nothing where there is no certificate.
    pub expires: Option<Instant>,
    /// The broken hash that it is signed with, if so.
    pub weak_hash: Option<&'static str>,
}

impl Certificate {
    /// A key without a certificate.
    pub fn without(fingerprint: Digest, strength: Strength) -> Self {
        Self { fingerprint, digest: None, strength, expires: None, weak_hash: None }
    }
}

impl Key {
    /// What can be read of it: its certificates, and the keys without one.
    pub fn readable(&self) -> impl Iterator<Item = &Certificate> {
        self.certificates.iter().chain(&self.others).flatten()
    }
}

/// What kind of key, and how strong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Strength {
    /// RSA with so many bits.
    Rsa {
        /// The length of the modulus.
        bits: usize,
        /// Whether the modulus has the shape of CVE-2017-15361 (ROCA).
        is_roca: bool,
        /// Whether the public exponent is even or below 3.
        bad_exponent: bool,
    },
    /// A named curve.
    Curve(String),
    /// Something else.
    Other(String),
}

/// A scope (shibmd:Scope).
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Whether the value is a regular expression.
    pub is_regexp: bool,
    /// The value.
    pub value: String,
}

/// A text for people in some language.
#[derive(Clone, Debug, Default)]
pub struct Text {
    /// Its element, such as `DisplayName`.
    pub what: String,
    /// Its `xml:lang`.
    pub language: Option<String>,
    /// What it says.
    pub value: String,
}

/// Who registered an entity (mdrpi:RegistrationInfo).
#[derive(Clone, Debug, Default)]
pub struct Registration {
    /// The registrar.
    pub authority: Option<String>,
    /// When.
    pub instant: Option<String>,
    /// The number of policies named.
    pub policies: usize,
}

/// Whom to ask.
#[derive(Clone, Debug, Default)]
pub struct Contact {
    /// `technical`, `support` and the like.
    pub purpose: String,
    /// Whether it is the security contact that REFEDS defines.
    pub is_security: bool,
    /// Whether somebody is named.
    pub is_named: bool,
    /// Addresses as written.
    pub addresses: Vec<String>,
}

/// Who runs an entity: languages and values of its three parts.
#[derive(Clone, Debug, Default)]
pub struct Organization {
    /// OrganizationName, OrganizationDisplayName and OrganizationURL.
    pub texts: Vec<Text>,
}

impl Entity {
    /// The most characters of an entityID (saml-schema-metadata-2.0, entityIDType).
    pub const ID_CHARS_MAX: usize = 1_024;

    /// All keys with readable certificates.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        let keys = self.roles.iter().flat_map(|role| &role.keys);
        keys.flat_map(|key| &key.certificates).filter_map(Option::as_ref)
    }

    /// Its own keys, as far as they can be read.
    pub fn keys(&self) -> impl Iterator<Item = &Certificate> {
        self.roles.iter().flat_map(|role| &role.keys).flat_map(Key::readable)
    }

    /// All keys, its own and those that vouch for them, each with the role or extension that it stands in.
    pub(super) fn all_keys(&self) -> impl Iterator<Item = (&str, &Key)> {
        let own = self.roles.iter().flat_map(|role| role.keys.iter().map(|key| (role.name.as_str(), key)));
        own.chain(self.authorities().map(|key| (KEY_AUTHORITY, key)))
    }

    /// All endpoints.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.roles.iter().flat_map(|role| &role.endpoints)
    }

    /// The names of the groups that it stands in, the root's aside, the outermost first.
    pub fn groups(&self) -> impl Iterator<Item = &String> {
        self.inherited.iter().flat_map(|given| &given.groups)
    }

    /// Its entity attributes, those of its groups first: name and value.
    pub fn attributes(&self) -> impl Iterator<Item = &(String, String)> {
        self.inherited.iter().flat_map(|given| &given.attributes).chain(&self.attributes)
    }

    /// Keys that vouch for its keys, those of its groups first.
    pub fn authorities(&self) -> impl Iterator<Item = &Key> {
        self.inherited.iter().flat_map(|given| &given.authorities).chain(&self.authorities)
    }

    /// Whether it has this role.
    pub fn is(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own.name == role)
    }

    /// Whether it has an entity attribute of this name and value.
    pub fn claims(&self, name: &str, value: &str) -> bool {
        self.attributes().any(|(own, said)| own == name && said == value)
    }

    /// Every text that people read, with what it is.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        let organization = self.organization.iter().flat_map(|organization| &organization.texts);
        self.roles.iter().flat_map(|role| &role.texts).chain(organization)
    }
}

impl Role {
    /// Whether it supports this protocol.
    pub fn speaks(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|all| all.split_whitespace().any(|one| one == protocol))
    }
}

impl Endpoint {
    /// Where it is reached, and where answers go.
    pub fn locations(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.location.as_str()).chain(self.response.as_deref())
    }
}
