//! Rules about what a federation says of its entities, and what people see of them.

use super::addresses::{NO_PORT, oddities};
use super::{has_space, has_twins, host, when};
use crate::base::clock::{Instant, Span};
use crate::policy::finding::{Check, Scene};
use crate::policy::{Entity, Organization, Rule, Severity};

use Severity::{Block, Note};

const MDRPI: &str = "SAML V2.0 Metadata Extensions for Registration and Publication Information, section 2.1";
const MDUI: &str = "SAML V2.0 Metadata Extensions for Login and Discovery User Interface, section 2.1";
const METADATA: &str = "SAML V2.0 Metadata, section 2.3.2";

pub(super) static ROWS: &[Rule] = &[
    Rule::saml(
        "saml.registrar.missing",
        Note,
        "every entity says who registered it",
        "let the registry write mdrpi:RegistrationInfo with a registrationAuthority",
        "eduGAIN SAML profile: registrationAuthority MUST be there",
        Check::Entity(|entity, _| {
            let named = entity
                .registrations
                .iter()
                .any(|one| one.authority.as_deref().is_some_and(|authority| !authority.trim().is_empty()));
            when(!named, || "it does not say who registered it".into())
        }),
    ),
    Rule::saml(
        "saml.registrar.not-allowed",
        Block,
        "only registrars that the profile names stand in the document, and one for each entity",
        "take the entity out, or add its registrar to saml.registrars in the profile",
        MDRPI,
        Check::Entity(registrar),
    )
    .lenient(),
    Rule::saml(
        "saml.registrar.incomplete",
        Note,
        "a registration says when it was made and by which policy",
        "let the registry write registrationInstant and RegistrationPolicy",
        "eduGAIN SAML profile: registrationInstant and RegistrationPolicy SHOULD be there",
        Check::Entity(|entity, scene| {
            let now = scene.standard.now;
            let poor = entity.registrations.iter().any(|one| {
                let read = one.instant.as_deref().and_then(|text| Instant::parse_xml(text).ok());
                one.policies == 0 || read.is_none_or(|instant| instant > now)
            });
            when(poor, || "its registration has no policy, or no time in the past".into())
        }),
    ),
    Rule::saml(
        "saml.attributes.not-allowed",
        Block,
        "entity attributes that the profile reserves come from the registrars that may give them",
        "take the attribute out, or add the registrar to saml.reserved in the profile",
        "SAML V2.0 Metadata Extension for Entity Attributes; REFEDS entity categories are given by registrars",
        Check::Entity(attributes),
    )
    .lenient(),
    Rule::saml(
        "saml.cache-duration.entity",
        Note,
        "an entity's own cacheDuration is between one and six hours",
        "take it out: the root's counts",
        "eduGAIN SAML profile: cacheDuration between one and six hours",
        Check::Entity(|entity, _| {
            let odd = |value: &&String| {
                Span::parse_xml(value).map_or(true, |span| !(3_600..=6 * 3_600).contains(&span.seconds()))
            };
            entity
                .cache_duration
                .iter()
                .filter(odd)
                .map(|value| format!("its cacheDuration is '{value}'"))
                .collect()
        }),
    ),
    Rule::saml(
        "saml.ui.missing",
        Note,
        "identity and service providers have a name for people (mdui:DisplayName)",
        "ask for it: people would have to choose by entityID",
        MDUI,
        Check::Entity(|entity, _| {
            let is_provider = entity.is("IDPSSODescriptor") || entity.is("SPSSODescriptor");
            let named =
                entity.texts().any(|text| text.what == "DisplayName" && !text.value.trim().is_empty());
            when(is_provider && !named, || "it has no mdui:DisplayName".into())
        }),
    ),
    Rule::saml(
        "saml.ui.empty",
        Note,
        "no text for people is empty",
        "fill it, or take it out",
        MDUI,
        Check::Entity(|entity, _| {
            let empty = entity.texts().filter(|text| text.value.trim().is_empty());
            empty.map(|text| format!("{} is empty", text.what)).collect()
        }),
    ),
    Rule::saml(
        "saml.ui.language",
        Note,
        "texts for people say their language, once each",
        "set xml:lang to a language tag such as en, and leave one text for each",
        "RFC 5646; SAML V2.0 Metadata, section 2.2.4",
        Check::Entity(language),
    ),
    Rule::saml(
        "saml.ui.logo",
        Note,
        "logos come by https, or are small images of their own",
        "ask for an https address: browsers block the others",
        MDUI,
        Check::Entity(|entity, _| {
            let logos = entity.roles.iter().flat_map(|role| &role.logos);
            let bad = logos.filter(|logo| {
                let logo = logo.trim();
                let is_fetched = logo.starts_with("https://") && is_link(logo);
                !(is_fetched || logo.starts_with("data:image/")) || logo.len() > 50_000
            });
            bad.map(|logo| format!("a logo at '{}'", logo.chars().take(80).collect::<String>())).collect()
        }),
    ),
    Rule::saml(
        "saml.ui.url",
        Note,
        "addresses for people are URLs: https or http, with a host",
        "ask for the whole address: people click on it, and programs refuse the document",
        MDUI,
        Check::Entity(|entity, _| {
            let links = entity.texts().filter(|text| text.what.ends_with("URL"));
            let links = links.map(|text| (text.what.as_str(), text.value.trim()));
            let errors = entity.roles.iter().filter_map(|role| Some(("errorURL", role.error_url.as_deref()?.trim())));
            let bad = links.chain(errors).filter(|(_, url)| !url.is_empty() && !is_link(url));
            bad.map(|(what, url)| format!("{what} at '{url}'")).collect()
        }),
    ),
    Rule::saml(
        "saml.contact.missing",
        Note,
        "somebody technical or in support can be asked",
        "ask for a ContactPerson of the type technical or support",
        "eduGAIN SAML profile: ContactPerson technical or support SHOULD be there",
        Check::Entity(|entity, _| {
            let has = entity.contacts.iter().any(|contact| {
                ["technical", "support"].contains(&contact.purpose.as_str()) && !contact.addresses.is_empty()
            });
            when(!has, || "it has no technical or support contact with an address".into())
        }),
    ),
    Rule::saml(
        "saml.contact.mailto",
        Note,
        "addresses of contacts are mailto: URIs",
        "write mailto: and one address",
        "SAML V2.0 Metadata, section 2.3.2.2",
        Check::Entity(|entity, _| {
            let addresses = entity.contacts.iter().flat_map(|contact| &contact.addresses);
            let bad = addresses.filter(|address| {
                let mail = address.trim().strip_prefix("mailto:").unwrap_or_default();
                !mail.contains('@') || mail.contains(char::is_whitespace)
            });
            bad.map(|address| format!("the contact address '{address}'")).collect()
        }),
    ),
    Rule::saml(
        "saml.organization.incomplete",
        Note,
        "every entity has an Organization with name, display name and URL",
        "ask for what is missing",
        METADATA,
        Check::Entity(|entity, _| match &entity.organization {
            None => vec!["it has no Organization".into()],
            Some(organization) => incomplete(organization),
        }),
    ),
    Rule::saml(
        "saml.entity.too-large",
        Block,
        "an entity has no more parts than can be looked at",
        "take out what nobody needs, or look at it by hand and waive this: what is beyond the limit was not examined",
        "a limit of this program: 2000 parts and 2 MiB of text, 64 KiB of one; 200 parts and 16 KiB in what its groups say of it",
        Check::Entity(|entity, _| when(entity.is_cut, || "it was not examined as a whole".into())),
    )
    .lenient(),
];

fn is_link(url: &str) -> bool {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    is_web && host(url).is_some() && !has_space(url) && !oddities(url).any(|why| why == NO_PORT)
}

fn registrar(entity: &Entity, scene: &Scene<'_>) -> Vec<String> {
    let allowed = &scene.standard.profile.saml.registrars;
    let names = entity.registrations.iter().filter_map(|one| one.authority.as_deref());
    let mut found: Vec<String> = Vec::new();
    if !allowed.is_empty() {
        let foreign = names.clone().filter(|name| !allowed.iter().any(|own| own == name));
        found.extend(foreign.map(|name| format!("the registrar '{name}' is not among those of the profile")));
        if names.clone().next().is_none() {
            found.push("it has no registrar, and the profile names those it allows".into());
        }
    }
    if names.count() > 1 {
        found.push("it has several registrars".into());
    }
    found
}

fn attributes(entity: &Entity, scene: &Scene<'_>) -> Vec<String> {
    let by = |registrars: &[String]| {
        let mut names = entity.registrations.iter().filter_map(|one| one.authority.as_ref()).peekable();
        names.peek().is_some() && names.all(|name| registrars.contains(name))
    };
    let mut found = Vec::new();
    for reserved in &scene.standard.profile.saml.reserved {
        let claims = entity.attributes().any(|(_, value)| *value == reserved.value);
        if claims && !by(&reserved.registrars) {
            found.push(format!("its registrar may not give it the attribute '{}'", reserved.value));
        }
    }
    found
}

fn language(entity: &Entity, _: &Scene<'_>) -> Vec<String> {
    let is_tag = |tag: &str| {
        let mut parts = tag.split('-');
        parts.next().is_some_and(|first| {
            (2..=3).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_alphabetic())
        }) && parts
            .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
    };
    let bad = entity.texts().filter(|text| !text.language.as_deref().is_some_and(is_tag));
    let mut found: Vec<String> = bad.map(|text| format!("{} has no sound xml:lang", text.what)).collect();
    for role in &entity.roles {
        // a role has a ServiceName for each of its AttributeConsumingServices
        let texts =
            role.texts.iter().filter(|text| text.language.is_some() && !text.what.starts_with("Service"));
        if !has_twins(texts.clone().map(|text| (&text.what, &text.language))) {
            continue;
        }
        let mut seen = std::collections::HashSet::new();
        let again = texts.filter(|text| !seen.insert((&text.what, &text.language)));
        found.extend(again.map(|text| format!("{} stands twice in one language", text.what)));
    }
    found
}

fn incomplete(organization: &Organization) -> Vec<String> {
    let parts = ["OrganizationName", "OrganizationDisplayName", "OrganizationURL"];
    let missing = parts.into_iter().filter(|part| !organization.texts.iter().any(|text| text.what == *part));
    missing.map(|part| format!("its Organization has no {part}")).collect()
}
