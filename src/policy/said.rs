//! What an added or changed entity says now, part by part: a digest tells that something differs, people want to see what.

use serde::Serialize;

use super::entity::KEY_AUTHORITY;
use super::print::{self, PARTS};
use super::{Certificate, Endpoint, Entity, Key, Print, Registration, Role, Strength, clip};

/// What one entity may fill, texts and all: more than any honest change says.
const ENTITY_BYTES_MAX: usize = 32 * 1024;
/// What a value takes beside its texts.
const VALUE_BYTES: usize = size_of::<Said>();
/// Roles that speak of people to those who believe the metadata.
const ASSERTING: [&str; 4] =
    ["IDPSSODescriptor", "AttributeAuthorityDescriptor", "AuthnAuthorityDescriptor", "PDPDescriptor"];

/// One thing that an added or changed entity says now. Its texts are foreign.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Said {
    /// The part that it belongs to: `keys`, `endpoints`, `scopes`, `registrar`, `attributes`, `roles`, `certificates`, `texts`.
    pub part: &'static str,
    /// What of that part: role and use of a key, role and element of an endpoint, the name of an attribute; or nothing.
    pub what: String,
    /// The value. Of a key: the SHA-256 of its SubjectPublicKeyInfo, of a certificate that of all of it, in DER.
    pub value: String,
    /// More about it: strength and end of a key, binding of an endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// Whether it was not there when the line signed last. The record has one digest for each part and not for each value:
    /// where more than two values are new, or some are gone, it cannot tell.
    #[serde(rename = "new", skip_serializing_if = "Option::is_none")]
    pub is_new: Option<bool>,
}

impl Said {
    fn new(part: &'static str, what: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        Self { part, what: clip(what.as_ref()), value: clip(value.as_ref()), ..Self::default() }
    }

    fn remarked(self, remarks: impl IntoIterator<Item = String>) -> Self {
        let remark = remarks.into_iter().filter(|remark| !remark.is_empty()).collect::<Vec<_>>().join(", ");
        Self { remark: (!remark.is_empty()).then(|| clip(&remark)), ..self }
    }

    /// What it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        let remark = self.remark.as_ref().map_or(0, String::len);
        VALUE_BYTES + self.what.len() + self.value.len() + remark
    }
}

/// What an entity says now, as far as somebody has to see it, and how many values that leaves out.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) values: Vec<Said>,
    pub(super) untold: usize,
}

impl Told {
    /// All that an added entity says; of its certificates, the keys tell.
    pub(super) fn added(entity: &Entity) -> Self {
        let parts = PARTS.iter().filter(|part| **part != "certificates");
        Self::within(parts.flat_map(|part| values(entity, part)).flatten())
    }

    /// What a changed entity says in the parts that differ, what is new before what is not. Nothing of it is shown where it is
    /// not told apart what differs.
    pub(super) fn changed(entity: &Entity, parts: &[&'static str], past: &Print) -> Self {
        let mut all = Vec::new();
        for part in parts {
            let texts = values(entity, part);
            let new = print::new_in(entity, part, past).filter(|new| new.len() == texts.len());
            let new = new.map_or(vec![None; texts.len()], |new| new.into_iter().map(Some).collect());
            let told = texts.into_iter().zip(new);
            let mut values: Vec<Said> = told
                .flat_map(|(values, is_new)| values.into_iter().map(move |value| Said { is_new, ..value }))
                .collect();
            values.sort_by_key(|value| value.is_new == Some(false));
            all.extend(values);
        }
        Self::within(all.into_iter())
    }

    fn within(all: impl Iterator<Item = Said>) -> Self {
        let (mut told, mut bytes) = (Self::default(), 0);
        for value in all {
            bytes += value.bytes();
            if bytes > ENTITY_BYTES_MAX {
                told.untold += 1;
            } else {
                told.values.push(value);
            }
        }
        told
    }
}

/// The part that an added entity counts as: by a scope, or a role that asserts, it speaks of people to everybody who believes
/// the metadata; by an entity attribute it is given what others are not.
pub(super) fn weight(entity: &Entity) -> Option<&'static str> {
    let roles = &entity.roles;
    if roles.iter().any(|role| ASSERTING.contains(&role.name.as_str()) || !role.scopes.is_empty()) {
        return Some("scopes");
    }
    entity.attributes().next().map(|_| "attributes")
}

/// What it says in a part that is told apart: for each text of the part's digest, in their order, the values that it is of.
fn values(entity: &Entity, part: &'static str) -> Vec<Vec<Said>> {
    let roles = entity.roles.iter();
    let one = |what: &str, value: &str| vec![Said::new(part, what, value)];
    match part {
        "keys" => entity.all_keys().map(|(place, key)| keys(&use_of(place, key), key)).collect(),
        "endpoints" => roles
            .flat_map(|role| role.endpoints.iter().map(|endpoint| vec![located(role, endpoint)]))
            .collect(),
        "scopes" => {
            let scopes = roles.flat_map(|role| role.scopes.iter().map(move |scope| (role, scope)));
            let kind = |is_regexp| if is_regexp { " regexp" } else { "" };
            scopes
                .map(|(role, scope)| one(&format!("{}{}", role.name, kind(scope.is_regexp)), &scope.value))
                .collect()
        }
        "registrar" => {
            let registration = |own: &Registration| {
                let since = own.instant.as_ref().map(|instant| format!("since {instant}"));
                vec![Said::new(part, "", own.authority.as_deref().unwrap_or("(none)")).remarked(since)]
            };
            entity.registrations.iter().map(registration).collect()
        }
        "attributes" => {
            let groups = entity.groups().map(|name| one("in the group", name));
            groups.chain(entity.attributes().map(|(name, value)| one(name, value))).collect()
        }
        "roles" => {
            let cached = entity.cache_duration.iter().map(|span| one("cacheDuration", span));
            roles.flat_map(of_role).chain(cached).collect()
        }
        "certificates" => {
            let certificates =
                entity.all_keys().flat_map(|(place, key)| key.readable().map(move |own| (place, key, own)));
            let digests = certificates.filter_map(|(place, key, own)| Some((place, key, own.digest?)));
            digests.map(|(place, key, own)| one(&use_of(place, key), &own.to_string())).collect()
        }
        "texts" => texts(entity).map(|text| vec![text]).collect(),
        _ => vec![],
    }
}

/// What a key is of, and for.
fn use_of(place: &str, key: &Key) -> String {
    match &key.purpose {
        Some(purpose) => format!("{place} {purpose}"),
        None if place == KEY_AUTHORITY => place.to_owned(),
        None => format!("{place} for any use"),
    }
}

/// A role, and its settings.
fn of_role(role: &Role) -> impl Iterator<Item = Vec<Said>> {
    let own = Said::new("roles", role.kind.as_deref().unwrap_or_default(), &role.name);
    let setting = |name: &str, value: &str| Said::new("roles", format!("{} {name}", role.name), value);
    let settings = role.settings.iter().map(move |(name, value)| setting(name, value));
    let requested = role.requested.iter().map(move |name| setting("RequestedAttribute", name));
    let all = std::iter::once(own.remarked(role.protocols.clone())).chain(settings).chain(requested);
    all.map(|said| vec![said])
}

/// What tells the key of one `ds:KeyInfo`.
fn keys(what: &str, key: &Key) -> Vec<Said> {
    let said = |key: &Option<Certificate>, unread: &str, remark: Option<&str>| match key {
        Some(key) => Said::new("keys", what, key.fingerprint.to_string())
            .remarked(strength(key).into_iter().chain(remark.map(str::to_owned))),
        None => Said::new("keys", what, unread),
    };
    let certificates =
        key.certificates.iter().map(|key| said(key, "a certificate that cannot be read", None));
    let bare = Some("without a certificate");
    let others = key.others.iter().map(|key| said(key, "a key that cannot be read", bare));
    let mut all: Vec<Said> = certificates.chain(others).collect();
    if all.is_empty() {
        all.push(Said::new("keys", what, "no key, but a name or address of one"));
    }
    all
}

fn located(role: &Role, endpoint: &Endpoint) -> Said {
    let Endpoint { service, binding, location, response, index, is_default } = endpoint;
    let index = index.as_ref().map(|index| format!("index {index}"));
    let default = is_default.as_deref().map(str::trim).filter(|said| ["true", "1"].contains(said));
    let default = default.map(|_| "the default".to_owned());
    let answers = response.as_ref().map(|place| format!("answers to {place}"));
    let remarks = [Some(binding.clone()), index, default, answers];
    Said::new("endpoints", format!("{} {service}", role.name), location)
        .remarked(remarks.into_iter().flatten())
}

fn strength(certificate: &Certificate) -> [String; 2] {
    let strength = match &certificate.strength {
        Strength::Rsa { bits, .. } => format!("RSA of {bits} bits"),
        Strength::Curve(name) | Strength::Other(name) => name.clone(),
    };
    let end = certificate.expires.map_or(String::new(), |end| format!("its certificate ends {end}"));
    [strength, end]
}

/// What people read.
fn texts(entity: &Entity) -> impl Iterator<Item = Said> {
    let said = |what: &str, value: &str| Said::new("texts", what, value);
    let names = entity.texts().map(move |text| {
        let what = text.language.as_ref().map_or(text.what.clone(), |own| format!("{} {own}", text.what));
        said(&what, &text.value)
    });
    let logos = entity.roles.iter().flat_map(|role| &role.logos).map(move |logo| said("Logo", logo));
    let contacts = entity.contacts.iter().flat_map(move |contact| {
        let security = if contact.is_security { " for security" } else { "" };
        let what = format!("contact {}{security}", contact.purpose);
        contact.addresses.iter().map(move |address| said(&what, address))
    });
    names.chain(logos).chain(contacts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Scope;

    fn role(name: &str) -> Role {
        Role { name: name.into(), ..Role::default() }
    }

    #[test]
    fn a_new_entity_weighs_what_it_may_say_of_people_or_is_given() {
        let entity = |role: Role, attributes| Entity { roles: vec![role], attributes, ..Entity::default() };
        let scoped = Role { scopes: vec![Scope::default()], ..role("SPSSODescriptor") };
        for (entity, part) in [
            (entity(role("IDPSSODescriptor"), vec![]), Some("scopes")),
            (entity(role("AttributeAuthorityDescriptor"), vec![]), Some("scopes")),
            (entity(scoped, vec![]), Some("scopes")),
            (entity(role("SPSSODescriptor"), vec![(String::new(), String::new())]), Some("attributes")),
            (entity(role("SPSSODescriptor"), vec![]), None),
        ] {
            assert_eq!(weight(&entity), part, "{entity:?}");
        }
        let parts: Vec<_> = ["scopes", "attributes"].iter().filter(|part| PARTS.contains(part)).collect();
        assert_eq!(parts.len(), 2, "they are parts");
    }

    #[test]
    fn one_entity_fills_no_more_than_its_share() {
        let endpoint = Endpoint { location: "x".repeat(100_000), ..Endpoint::default() };
        let endpoints = vec![endpoint; 500];
        let entity =
            Entity { roles: vec![Role { endpoints, ..role("SPSSODescriptor") }], ..Entity::default() };
        for told in
            [Told::added(&entity), Told::changed(&entity, &["endpoints", "roles"], &Print::of_item(b""))]
        {
            let bytes: usize = told.values.iter().map(Said::bytes).sum();
            assert!((ENTITY_BYTES_MAX / 2..=ENTITY_BYTES_MAX).contains(&bytes), "{bytes}");
            assert_eq!(told.values.len() + told.untold, 501);
        }
    }
}
