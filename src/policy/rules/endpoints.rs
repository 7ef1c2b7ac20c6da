//! Rules about roles and endpoints: what an entity does, and where it is reached.

use std::collections::HashSet;

use super::addresses::{is_acting, is_local, is_script, oddities};
use super::{SAML_2, has_space, has_twins, host, site, when};
use crate::policy::finding::{Check, Scene};
use crate::policy::{Endpoint, Entity, Role, Rule, Severity};

use Severity::{Block, Note, Warn};

const SAML2INT: &str = "SAML V2.0 Deployment Profile for Federation Interoperability (SAML2Int)";
const METADATA: &str = "SAML V2.0 Metadata, section 2.2.2";

const DISCOVERY: &str = "urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol";
const INITIATION: &str = "urn:oasis:names:tc:SAML:profiles:SSO:request-init";

/// The bindings of SAML, of its profiles, and of other protocols that stand in its metadata.
const BINDINGS: [&str; 20] = [
    "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
    "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
    "urn:oasis:names:tc:SAML:2.0:bindings:SOAP",
    "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST-SimpleSign",
    "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact",
    "urn:oasis:names:tc:SAML:2.0:bindings:PAOS",
    "urn:oasis:names:tc:SAML:2.0:bindings:URI",
    DISCOVERY,
    INITIATION,
    "urn:oasis:names:tc:SAML:1.0:bindings:SOAP-binding",
    "urn:oasis:names:tc:SAML:1.0:profiles:browser-post",
    "urn:oasis:names:tc:SAML:1.0:profiles:artifact-01",
    "urn:mace:shibboleth:1.0:profiles:AuthnRequest",
    "urn:oasis:names:tc:SAML:2.0:profiles:holder-of-key:SSO:browser",
    "http://schemas.xmlsoap.org/ws/2003/07/secext",
    "http://docs.oasis-open.org/wsfed/federation/200706",
    "https://www.apereo.org/cas/protocol/login",
    "https://www.apereo.org/cas/protocol/logout",
    "https://www.apereo.org/cas/protocol/proxy",
    "https://tools.ietf.org/html/rfc6749#section-3.1.2",
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
        "SAML V2.0 Bindings; SAML V2.0 Holder-of-Key Web Browser SSO Profile; Shibboleth CAS Metadata Profile",
        Check::Entity(|entity, _| {
            let has_own_rule = |service: &str| matches!(service, "DiscoveryResponse" | "RequestInitiator");
            let is_odd = |endpoint: &&Endpoint| {
                !BINDINGS.contains(&endpoint.binding.as_str()) && !has_own_rule(&endpoint.service)
            };
            let odd = entity.endpoints().filter(is_odd);
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
        "saml.endpoint.script",
        Block,
        "no address is a script",
        "take it out, and ask who registered it: browsers run it as if the page they show had written it",
        "CWE-79; WHATWG URL, section 4.4",
        Check::Entity(scripts),
    )
    .lenient(),
    Rule::saml(
        "saml.endpoint.unusual",
        Warn,
        "the location of an endpoint is plain: ASCII, no user, fragment, backslash or punycode, and a port that is one",
        "ask for its plain form: people take it for another address, or programs do",
        "RFC 3986, section 3.2; Unicode Technical Standard 39",
        Check::Entity(|entity, _| {
            let mut found = Vec::new();
            for endpoint in entity.endpoints() {
                for location in endpoint.locations() {
                    let told =
                        oddities(location).map(|why| format!("{} at '{location}': {why}", endpoint.service));
                    found.extend(told);
                }
            }
            found
        }),
    ),
    Rule::saml(
        "saml.endpoint.discovery",
        Warn,
        "DiscoveryResponse and RequestInitiator have the binding of their specification, DiscoveryResponse an index, too",
        "correct it: discovery services send nobody back to such an endpoint",
        "Identity Provider Discovery Service Protocol and Profile, section 2.5; SAML V2.0 Service Provider Request Initiation",
        Check::Entity(|entity, _| entity.endpoints().filter_map(incomplete).collect()),
    ),
    Rule::saml(
        "saml.endpoint.interoperable",
        Note,
        "identity providers of SAML 2.0 can be asked by HTTP-Redirect, service providers answered by HTTP-POST",
        "ask for the usual binding: not every partner has another one",
        SAML2INT,
        Check::Entity(|entity, _| entity.roles.iter().filter_map(unusual).collect()),
    ),
];

fn locations(entity: &Entity, is_so: impl Fn(&str) -> bool, what: &str) -> Vec<String> {
    let mut found = Vec::new();
    for endpoint in entity.endpoints() {
        let bad = endpoint.locations().filter(|location| is_so(location));
        found.extend(bad.map(|location| format!("{} at '{location}': {what}", endpoint.service)));
    }
    found
}

/// Addresses of endpoints and for people; a logo may be an image of its own.
fn scripts(entity: &Entity, _: &Scene<'_>) -> Vec<String> {
    let endpoints =
        entity.endpoints().flat_map(|own| own.locations().map(|location| (own.service.as_str(), location)));
    let errors = entity.roles.iter().filter_map(|role| Some(("errorURL", role.error_url.as_deref()?)));
    let links = entity.texts().filter(|text| text.what.ends_with("URL"));
    let links = links.map(|text| (text.what.as_str(), text.value.as_str()));
    let logos = entity.roles.iter().flat_map(|role| &role.logos).map(|logo| ("Logo", logo.as_str()));
    let (images, logos): (Vec<_>, Vec<_>) =
        logos.partition(|(_, logo)| logo.trim_start().to_ascii_lowercase().starts_with("data:image/"));
    let all = endpoints.chain(errors).chain(links).chain(logos).filter(|(_, address)| is_script(address));
    let all = all.chain(images.into_iter().filter(|(_, logo)| is_acting(logo)));
    all.map(|(what, address)| format!("{what} at '{}'", address.chars().take(80).collect::<String>()))
        .collect()
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

/// What the specifications of two extensions demand of their endpoints beside their location.
fn incomplete(endpoint: &Endpoint) -> Option<String> {
    let (binding, needs_index) = match endpoint.service.as_str() {
        "DiscoveryResponse" => (DISCOVERY, true),
        "RequestInitiator" => (INITIATION, false),
        _ => return None,
    };
    let why = if endpoint.binding != binding {
        format!("the binding '{}' and not {binding}", endpoint.binding)
    } else if needs_index
        && endpoint.index.as_deref().is_none_or(|index| index.trim().parse::<u16>().is_err())
    {
        "no number as its index".into()
    } else {
        return None;
    };
    Some(format!("{} at '{}' has {why}", endpoint.service, endpoint.location))
}

/// What a role of SAML 2.0 lacks that everybody uses.
fn unusual(role: &Role) -> Option<String> {
    let (service, binding) = match role.name.as_str() {
        "IDPSSODescriptor" => ("SingleSignOnService", "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"),
        "SPSSODescriptor" => ("AssertionConsumerService", "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"),
        _ => return None,
    };
    let mut own = role.endpoints.iter().filter(|endpoint| endpoint.service == service).peekable();
    let lacks =
        role.speaks(SAML_2) && own.peek().is_some() && !own.any(|endpoint| endpoint.binding == binding);
    lacks.then(|| format!("no {service} of {} has the binding {binding}", role.name))
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
