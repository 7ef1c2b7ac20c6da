//! Rules about scopes: for which domains an entity may speak.

use super::addresses::is_punycode;
use super::{host, is_public_suffix, site, when};
use crate::policy::finding::Check;
use crate::policy::{Entity, Role, Rule, Scope, Severity};

use Severity::{Note, Warn};

const SHIBMD: &str = "Shibboleth Metadata Profile, shibmd:Scope; REFEDS";

pub(super) static ROWS: &[Rule] = &[
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
    Rule::saml(
        "saml.scope.malformed",
        Warn,
        "a scope is the name of a domain: letters, digits and hyphens of ASCII between dots",
        "ask for the domain itself: consumers compare it letter by letter",
        "RFC 1123, section 2.1; Shibboleth Metadata Profile, shibmd:Scope",
        Check::Entity(|entity, _| {
            let odd = scopes(entity).filter(|scope| !scope.is_regexp && !is_domain(&scope.value));
            odd.map(|scope| {
                let (value, foreign) = (&scope.value, super::names::foreign(&scope.value));
                let letters = if foreign.is_empty() { foreign } else { format!(" ({foreign})") };
                format!("the scope '{value}' is no plain name of a domain{letters}")
            })
            .collect()
        }),
    ),
    Rule::saml(
        "saml.scope.lookalike",
        Warn,
        "no scope looks like another entity's",
        "ask both registrants: letters that look alike tell the scopes apart, and people do not",
        "Unicode Technical Standard 39",
        Check::Entity(|_, scene| scene.seen.scopes_alike.clone()),
    ),
    Rule::saml(
        "saml.scope.shared",
        Note,
        "a scope belongs to one identity provider",
        "ask whether both speak for the domain: each can name anybody in it",
        SHIBMD,
        Check::Entity(|_, scene| scene.seen.scopes_again.clone()),
    ),
];

fn scopes(entity: &Entity) -> impl Iterator<Item = &Scope> {
    entity.roles.iter().flat_map(|role| &role.scopes)
}

fn is_domain(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.split('.').all(is_label) && !is_punycode(name)
}
