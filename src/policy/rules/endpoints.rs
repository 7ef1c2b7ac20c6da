//! Rules about roles, endpoints and scopes: what an entity does, where it is reached, what it may assert.

use std::collections::HashSet;

use super::{has_space, has_twins, host, is_public_suffix, site, when};
use crate::policy::finding::{Check, Scene};
use crate::policy::{Endpoint, Entity, Role, Rule, Severity};

use Severity::{Note, Warn};

const SAML2INT: &str = "SAML V2.0 Deployment Profile for Federation Interoperability (SAML2Int)";
const METADATA: &str = "SAML V2.0 Metadata, section 2.2.2";
const SHIBMD: &str = "Shibboleth Metadata Profile, shibmd:Scope; REFEDS";

/// Where bindings are registered.
const BINDINGS: [&str; 5] = [
    "urn:oasis:names:tc:SAML:2.0:bindings:",
    "urn:oasis:names:tc:SAML:1.0:bindings:",
    "urn:oasis:names:tc:SAML:1.0:profiles:",
    "urn:mace:shibboleth:1.0:profiles:",
    "urn:oasis:names:tc:SAML:profiles:SSO:",
];

pub(super) static ROWS: &[Rule] = &[
    Rule::saml(
        "saml.roles.missing",
        Warn,
        "every entity has a role",
        "take the entity out, or ask for its metadata anew",
        "SAML V2.0 Metadata, section 2.3.2",
        Check::Entity(|entity, _| when(entity.roles.is_empty(), || "it has no role".into())),
    ),
    Rule::saml(
        "saml.protocols.missing",
        Warn,
        "every role says which protocols it supports",
        "set protocolSupportEnumeration: the schema demands it",
        "SAML V2.0 Metadata, section 2.4.1",
        Check::Entity(|entity, _| {
            let silent = |role: &&Role| role.protocols.as_deref().is_none_or(|names| names.trim().is_empty());
            let silent = entity.roles.iter().filter(silent);
            silent.map(|role| format!("{} has no protocolSupportEnumeration", role.name)).collect()
        }),
    ),
    Rule::saml(
        "saml.protocols.unknown",
        Warn,
        "protocolSupportEnumeration is a list of URIs, divided by spaces",
        "divide the protocols by spaces, and write their URIs as registered",
        "SAML V2.0 Metadata, section 2.4.1",
        Check::Entity(|entity, _| {
            let names = entity
                .roles
                .iter()
                .flat_map(|role| role.protocols.as_deref().unwrap_or("").split_whitespace());
            let odd = names.filter(|name| {
                !(name.starts_with("urn:") || name.starts_with("http")) || name.contains([',', ';'])
            });
            odd.map(|name| format!("the protocol '{name}'")).collect()
        }),
    ),
    Rule::saml(
        "saml.endpoint.missing",
        Warn,
        "identity providers have a SingleSignOnService, service providers an AssertionConsumerService",
        "ask for it: nobody can log in there",
        "SAML V2.0 Metadata, sections 2.4.3 and 2.4.4",
        Check::Entity(|entity, _| entity.roles.iter().filter_map(unreachable).collect()),
    ),
    Rule::saml(
        "saml.endpoint.http",
        Warn,
        "endpoints are reached by https",
        "have it changed to https: assertions would pass in the clear",
        SAML2INT,
        Check::Entity(|entity, _| locations(entity, |location| location.starts_with("http://"), "no https")),
    ),
    Rule::saml(
        "saml.endpoint.not-url",
        Warn,
        "the location of an endpoint is a URL",
        "ask for it again: browsers would be sent nowhere, or run it as a script",
        METADATA,
        Check::Entity(|entity, _| {
            let is_no_url = |location: &str| {
                !(location.starts_with("https://") || location.starts_with("http://"))
                    || host(location).is_none()
                    || has_space(location)
            };
            locations(entity, is_no_url, "no URL")
        }),
    ),
    Rule::saml(
        "saml.endpoint.binding",
        Warn,
        "the binding of an endpoint is a registered one",
        "correct its spelling: consumers drop the endpoint",
        "SAML V2.0 Bindings",
        Check::Entity(|entity, _| {
            let odd = entity.endpoints().filter(|endpoint| !is_binding(&endpoint.binding));
            odd.map(|endpoint| format!("{} with the binding '{}'", endpoint.service, endpoint.binding))
                .collect()
        }),
    ),
    Rule::saml(
        "saml.endpoint.private",
        Warn,
        "no endpoint lies on a local or private address",
        "ask for the public address: this one means another machine to everybody",
        "RFC 1918, RFC 6761",
        Check::Entity(|entity, _| {
            let is_private = |location: &str| host(location).is_some_and(is_local);
            locations(entity, is_private, "a local or private address")
        }),
    ),
    Rule::saml(
        "saml.endpoint.other-domain",
        Note,
        "endpoints lie in the domain of the entityID",
        "ask whether the provider is meant to run elsewhere",
        "REFEDS Metadata Registration Practice: registrants prove control of a domain",
        Check::Entity(elsewhere),
    ),
    Rule::saml(
        "saml.endpoint.duplicate-index",
        Warn,
        "endpoints of one kind have numbers of their own",
        "renumber them: a request that names the number means either",
        "SAML V2.0 Metadata, section 2.2.3",
        Check::Entity(|entity, _| entity.roles.iter().flat_map(doubled).collect()),
    ),
    Rule::saml(
        "saml.scope.missing",
        Note,
        "identity providers have a scope",
        "ask for it: service providers drop what they assert within any",
        SHIBMD,
        Check::Entity(|entity, _| {
            let bare = |role: &&Role| role.name == "IDPSSODescriptor" && role.scopes.is_empty();
            when(entity.roles.iter().any(|role| bare(&role)), || "the identity provider has no scope".into())
        }),
    ),
    Rule::saml(
        "saml.scope.regexp",
        Warn,
        "no scope is a regular expression",
        "ask for the scopes one by one: an unescaped dot stands for any letter",
        SHIBMD,
        Check::Entity(|entity, _| {
            let scopes = scopes(entity).filter(|scope| scope.is_regexp);
            scopes.map(|scope| format!("the scope '{}' is a regular expression", scope.value)).collect()
        }),
    ),
    Rule::saml(
        "saml.scope.broad",
        Warn,
        "a scope is a domain that somebody owns",
        "ask for the domain of the organisation: this one covers those of others",
        SHIBMD,
        Check::Entity(|entity, _| {
            let scopes = scopes(entity).filter(|scope| !scope.is_regexp && is_public_suffix(&scope.value));
            scopes.map(|scope| format!("the scope '{}' covers other organisations", scope.value)).collect()
        }),
    ),
    Rule::saml(
        "saml.scope.other-domain",
        Note,
        "a scope lies in the domain of the entityID",
        "ask whether the organisation owns the domain",
        SHIBMD,
        Check::Entity(|entity, _| {
            let Some(own) = host(&entity.id).map(site) else { return vec![] };
            let scopes = scopes(entity).filter(|scope| !scope.is_regexp && site(&scope.value) != own);
            scopes.map(|scope| format!("the scope '{}' is not in {own}", scope.value)).collect()
        }),
    ),
];

fn scopes(entity: &Entity) -> impl Iterator<Item = &crate::policy::Scope> {
    entity.roles.iter().flat_map(|role| &role.scopes)
}

fn locations(entity: &Entity, is_so: impl Fn(&str) -> bool, what: &str) -> Vec<String> {
    let mut found = Vec::new();
    for endpoint in entity.endpoints() {
        let bad = endpoint.locations().filter(|location| is_so(location));
        found.extend(bad.map(|location| format!("{} at '{location}': {what}", endpoint.service)));
    }
    found
}

fn unreachable(role: &Role) -> Option<String> {
    let wanted = match role.name.as_str() {
        "IDPSSODescriptor" => "SingleSignOnService",
        "SPSSODescriptor" => "AssertionConsumerService",
        _ => return None,
    };
    let has = role.endpoints.iter().any(|endpoint| endpoint.service == wanted);
    (!has).then(|| format!("{} has no {wanted}", role.name))
}

fn is_binding(binding: &str) -> bool {
    let name = BINDINGS.iter().find_map(|prefix| binding.strip_prefix(prefix));
    name.is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:".contains(&b))
    })
}

fn is_local(host: &str) -> bool {
    if host.ends_with(|last: char| last.is_ascii_digit())
        && let Some([first, second, ..]) = ipv4(host)
    {
        return matches!(
            (first, second),
            (0 | 10 | 127, _) | (192, 168) | (169, 254) | (172, 16..=31) | (100, 64..=127)
        );
    }
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        let address = address.to_ascii_lowercase();
        return address == "::1" || ["fc", "fd", "fe8"].iter().any(|prefix| address.starts_with(prefix));
    }
    let name = host.trim_end_matches('.').as_bytes();
    let ends_with = |ending: &[u8]| {
        let (_, end) = name.split_at(name.len().saturating_sub(ending.len()));
        end.eq_ignore_ascii_case(ending)
    };
    let endings: [&[u8]; 7] =
        [b".localhost", b".local", b".internal", b".lan", b".test", b".invalid", b".home.arpa"];
    !name.contains(&b'.') || endings.into_iter().any(ends_with)
}

/// The four numbers of an IPv4 address.
fn ipv4(host: &str) -> Option<[u8; 4]> {
    let numbers: Option<Vec<u8>> = host.split('.').map(|number| number.parse().ok()).collect();
    numbers?.try_into().ok()
}

fn elsewhere(entity: &Entity, _: &Scene<'_>) -> Vec<String> {
    let Some(own_host) = host(&entity.id) else { return vec![] };
    let own = site(own_host);
    let mut other: Vec<_> = entity
        .endpoints()
        .flat_map(Endpoint::locations)
        .filter_map(host)
        .filter(|host| *host != own_host)
        .map(site)
        .filter(|site| *site != own)
        .collect();
    other.sort_unstable();
    other.dedup();
    other.into_iter().map(|site| format!("endpoints in {site}, not in {own}")).collect()
}

fn doubled(role: &Role) -> Vec<String> {
    let numbered =
        role.endpoints.iter().filter_map(|endpoint| Some((&endpoint.service, endpoint.index.as_ref()?)));
    if !has_twins(numbered.clone()) {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let again = numbered.filter(|pair| !seen.insert(*pair));
    again.map(|(service, index)| format!("two {service} have the index {index}")).collect()
}
