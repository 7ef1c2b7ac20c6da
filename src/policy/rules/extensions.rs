//! Rules about extensions: where they stand, and what entity categories demand of those that claim them.

use super::when;
use crate::policy::finding::{Check, Scene};
use crate::policy::{Contact, Entity, Rule, Severity};

use Severity::{Note, Warn};

const CATEGORY: &str = "http://macedir.org/entity-category";
const SUPPORT: &str = "http://macedir.org/entity-category-support";
const ASSURANCE: &str = "urn:oasis:names:tc:SAML:attribute:assurance-certification";
const SUBJECT_ID: &str = "urn:oasis:names:tc:SAML:profiles:subject-id:req";
const SIRTFI: &str = "https://refeds.org/sirtfi";
const SIRTFI_2: &str = "https://refeds.org/sirtfi2";
const POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";

/// What a category demands of the service providers that claim it.
struct Demand {
    value: &'static str,
    name: &'static str,
    /// Elements of mdui:UIInfo.
    texts: &'static [&'static str],
    /// Whether these must be there in English.
    in_english: bool,
    contact: Needs,
    /// Whether it must say which attributes it wants.
    attributes: bool,
    /// Whether it must take answers by HTTP-POST.
    post: bool,
}

enum Needs {
    Nobody,
    Somebody,
    Technician,
}

/// The categories of REFEDS and of GEANT.
const DEMANDS: [Demand; 6] = [
    Demand {
        value: "http://refeds.org/category/research-and-scholarship",
        name: "Research and Scholarship",
        texts: &["DisplayName", "InformationURL"],
        in_english: false,
        contact: Needs::Technician,
        attributes: false,
        post: true,
    },
    Demand {
        value: "http://www.geant.net/uri/dataprotection-code-of-conduct/v1",
        name: "Code of Conduct 1",
        texts: &["PrivacyStatementURL"],
        in_english: true,
        contact: Needs::Nobody,
        attributes: true,
        post: false,
    },
    Demand {
        value: "https://refeds.org/category/code-of-conduct/v2",
        name: "Code of Conduct 2",
        texts: &["DisplayName", "Description", "PrivacyStatementURL"],
        in_english: true,
        contact: Needs::Nobody,
        attributes: true,
        post: false,
    },
    personal("https://refeds.org/category/anonymous", "Anonymous Access", &["DisplayName", "InformationURL"]),
    personal("https://refeds.org/category/pseudonymous", "Pseudonymous Access", PERSONAL),
    personal("https://refeds.org/category/personalized", "Personalized Access", PERSONAL),
];

const PERSONAL: &[&str] = &["DisplayName", "InformationURL", "PrivacyStatementURL"];

const fn personal(value: &'static str, name: &'static str, texts: &'static [&'static str]) -> Demand {
    Demand { value, name, texts, in_english: false, contact: Needs::Somebody, attributes: false, post: false }
}

pub(super) static ROWS: &[Rule] = &[
    Rule::saml(
        "saml.extension.misplaced",
        Warn,
        "extensions (mdui, mdrpi, mdattr) stand where consumers look for them, and are spelt as they are defined",
        "move it into the Extensions that it belongs to: elsewhere it is signed, and nobody acts on it",
        "SAML V2.0 Metadata Extensions: Login and Discovery, section 2.1; Registration, section 2.1; Entity Attributes, section 2.2",
        Check::Entity(|entity, _| entity.misplaced.clone()),
    ),
    Rule::saml(
        "saml.attributes.name-format",
        Note,
        "entity attributes have the NameFormat of a URI",
        "let the registry write NameFormat: consumers look for the attribute by name and format",
        "Entity Category SAML Attribute Types (RFC 8409), section 3",
        Check::Entity(|entity, _| {
            entity
                .unformatted
                .iter()
                .map(|name| format!("the NameFormat of '{name}' is not that of a URI"))
                .collect()
        }),
    ),
    Rule::saml(
        "saml.category.unmet",
        Warn,
        "who claims an entity category meets what the category demands of metadata",
        "ask for what is missing, or take the category away: identity providers release attributes for it",
        "REFEDS: Research and Scholarship 1.3, section 4.3; Code of Conduct 2.0, section 5; Personalized, Pseudonymous and Anonymous Access; GEANT Code of Conduct 1.1",
        Check::Entity(categories),
    ),
    Rule::saml(
        "saml.sirtfi.contact",
        Warn,
        "who claims Sirtfi has a security contact of REFEDS, with a name and an address",
        "ask for it, or take Sirtfi away: others rely on reaching somebody in an incident",
        "Sirtfi 1.0 and 2.0; REFEDS Security Contact Metadata Extension Schema",
        Check::Entity(sirtfi),
    ),
    Rule::saml(
        "saml.algorithm.broken",
        Warn,
        "no broken algorithm is declared: MD5, RSA key transport 1.5",
        "have it taken out: partners that go by the declaration use it",
        "RFC 6151; SAML V2.0 Metadata Profile for Algorithm Support; XML Encryption 1.1, section 5.5.1",
        Check::Entity(|entity, _| {
            let is_broken = |uri: &&String| uri.contains("md5") || uri.ends_with("#rsa-1_5");
            entity.algorithms.iter().filter(is_broken).map(|uri| format!("it declares '{uri}'")).collect()
        }),
    ),
];

fn categories(entity: &Entity, _: &Scene<'_>) -> Vec<String> {
    let supports = entity.attributes().any(|(name, _)| name == SUPPORT) && !entity.is("IDPSSODescriptor");
    let found = when(supports, || "it says which categories it supports, and is no identity provider".into());
    let claimed = DEMANDS.iter().filter(|demand| entity.claims(CATEGORY, demand.value));
    let unmet =
        claimed.flat_map(|demand| unmet(demand, entity).map(|what| format!("{}: {what}", demand.name)));
    found.into_iter().chain(unmet).collect()
}

/// What the entity lacks.
fn unmet(demand: &'static Demand, entity: &Entity) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    let mut roles = entity.roles.iter().filter(|role| role.name == "SPSSODescriptor").peekable();
    if roles.peek().is_none() {
        found.push("it is no service provider".into());
        return found.into_iter();
    }
    let roles: Vec<_> = roles.collect();
    let fits = |text: &&crate::policy::Text| !demand.in_english || text.language.as_deref() == Some("en");
    for what in demand.texts {
        let has = roles.iter().flat_map(|role| &role.texts).filter(fits).any(|text| text.what == *what);
        let english = if demand.in_english { " in English" } else { "" };
        found.extend(when(!has, || format!("it has no {what}{english}")));
    }
    let is_there = match demand.contact {
        Needs::Nobody => true,
        Needs::Somebody => !entity.contacts.is_empty(),
        Needs::Technician => entity.contacts.iter().any(|contact| contact.purpose == "technical"),
    };
    found.extend(when(!is_there, || match demand.contact {
        Needs::Technician => "it has no technical contact".into(),
        Needs::Nobody | Needs::Somebody => "it has no contact".into(),
    }));
    let wants = roles.iter().any(|role| !role.requested.is_empty())
        || entity.attributes().any(|(name, _)| name == SUBJECT_ID);
    found.extend(when(demand.attributes && !wants, || "it does not say which attributes it wants".into()));
    let is_consumer = |endpoint: &crate::policy::Endpoint| {
        endpoint.service == "AssertionConsumerService" && endpoint.binding == POST
    };
    let posts = roles.iter().flat_map(|role| &role.endpoints).any(is_consumer);
    found.extend(when(demand.post && !posts, || "it takes no answers by HTTP-POST".into()));
    found.into_iter()
}

fn sirtfi(entity: &Entity, _: &Scene<'_>) -> Vec<String> {
    let [first, second] = [SIRTFI, SIRTFI_2].map(|version| entity.claims(ASSURANCE, version));
    if !first && !second {
        return vec![];
    }
    let mut found = when(second && !first, || "it claims Sirtfi 2, and not Sirtfi".into());
    let contacts: Vec<&Contact> = entity.contacts.iter().filter(|contact| contact.is_security).collect();
    found.extend(when(contacts.is_empty(), || "it claims Sirtfi and has no security contact".into()));
    let is_poor = |contact: &&Contact| !contact.is_named || contact.addresses.is_empty();
    let poor = contacts.into_iter().filter(is_poor);
    found.extend(poor.map(|_| "its security contact has no name (GivenName) or no address".into()));
    found
}
