//! Rules about the document as a whole: how long it is valid, what it may not hold, how much may change.

use super::when;
use crate::base::clock::{Instant, Span};
use crate::key::Parts;
use crate::policy::finding::{Check, Whole};
use crate::policy::{Facts, Rule, Severity};

use Severity::{Block, Note, Warn};

const MAPS: &str = "eduGAIN Metadata Aggregation Practice Statement";

pub(super) static ROWS: &[Rule] = &[
    Rule::saml(
        "saml.valid-until.missing",
        Block,
        "the root element says until when it is valid",
        "set validUntil in the document, or dates = \"replace\" in the profile",
        "SAML V2.0 Metadata, section 2.3.1; eduGAIN Metadata Aggregation Practice Statement, A5",
        Check::Document(|whole| {
            when(whole.facts.value("validUntil").is_none(), || "there is no validUntil".into())
        }),
    ),
    Rule::saml(
        "saml.valid-until.unreadable",
        Block,
        "validUntil is a time in UTC",
        "write it as 2026-11-22T07:15:47Z",
        "SAML V2.0 Core, section 1.3.3; XML Schema part 2, section 3.2.7",
        Check::Document(|whole| {
            let is_utc = |value: &str| Instant::parse_xml(value).is_ok() && value.trim_end().ends_with('Z');
            let values = whole.facts.values("validUntil").filter(|value| !is_utc(value));
            values.map(|value| format!("validUntil is '{value}'")).collect()
        }),
    ),
    Rule::saml(
        "saml.valid-until.past",
        Block,
        "the document is still valid when it is signed",
        "set validUntil anew, or dates = \"replace\" in the profile",
        "DFN-AAI, June 2026: every file was published with a validUntil in the past",
        Check::Document(|whole| {
            let past = |until: &Instant| *until <= whole.standard.now;
            until(whole.facts).filter(past).map(|until| format!("validUntil {until} is over")).collect()
        }),
    ),
    Rule::saml(
        "saml.valid-until.too-far",
        Block,
        "the document is not valid for longer than the profile allows",
        "set an earlier validUntil, or saml.valid_for_max in the profile",
        "eduGAIN Metadata Aggregation Practice Statement, A6",
        Check::Document(|whole| {
            let max = whole.standard.profile.saml.valid_for_max;
            let far = |until: &Instant| Span::of_seconds(until.seconds_since(whole.standard.now)) > max;
            let far = until(whole.facts).filter(far);
            far.map(|until| format!("validUntil {until} is more than {max} away")).collect()
        }),
    ),
    Rule::saml(
        "saml.valid-until.too-near",
        Warn,
        "the document stays valid for at least five days",
        "set a later validUntil, or saml.valid_for in the profile: who fetches weekly has no document otherwise",
        "eduGAIN Metadata Aggregation Practice Statement, A5: at least 120 hours",
        Check::Document(|whole| {
            let now = whole.standard.now;
            let near = |until: &Instant| *until > now && until.seconds_since(now) < 5 * 86_400;
            let near = until(whole.facts).filter(near);
            near.map(|until| format!("validUntil {until} is less than five days away")).collect()
        }),
    ),
    Rule::saml(
        "saml.nested-valid-until.past",
        Block,
        "nothing inside the document has expired",
        "take the expired entity out, or renew its validUntil",
        "InCommon metadata consumption rules: reject when a child has expired",
        Check::Reader,
    )
    .lenient(),
    Rule::saml(
        "saml.nested-valid-until.present",
        Note,
        "only the root says until when it is valid",
        "take validUntil out of the inner elements: the earliest one counts, and few look for it",
        "SAML V2.0 Metadata, section 2.3.1",
        Check::Reader,
    ),
    Rule::saml(
        "saml.cache-duration.too-long",
        Block,
        "cacheDuration can be read, and is not longer than the profile lets a document be valid",
        "set a shorter cacheDuration, or dates = \"replace\" in the profile",
        "SAML V2.0 Metadata, section 2.3.1: who goes by it alone fetches no correction in that time",
        Check::Document(|whole| {
            let max = whole.standard.profile.saml.valid_for_max;
            let wrong = |value: &str| match Span::parse_xml(value) {
                Ok(span) if span > max => Some(format!("cacheDuration is '{value}', and {max} is allowed")),
                Ok(_) => None,
                Err(fault) => Some(format!("cacheDuration: {fault}")),
            };
            whole.facts.values("cacheDuration").filter_map(wrong).collect()
        }),
    )
    .lenient(),
    Rule::saml(
        "saml.cache-duration.range",
        Warn,
        "cacheDuration is between one and six hours",
        "set saml.cache_duration in the profile",
        MAPS,
        Check::Document(|whole| {
            let odd = |value: &&str| {
                Span::parse_xml(value).map_or(true, |span| !(3_600..=6 * 3_600).contains(&span.seconds()))
            };
            let values = whole.facts.values("cacheDuration").filter(odd);
            values.map(|value| format!("cacheDuration is '{value}'")).collect()
        }),
    ),
    Rule::saml(
        "saml.creation-instant.missing",
        Note,
        "an aggregate says who published it and when (mdrpi:PublicationInfo)",
        "let the aggregator write mdrpi:PublicationInfo with creationInstant",
        "eduGAIN Metadata Aggregation Practice Statement, A3 and A4",
        Check::Document(|whole| {
            let aggregate = whole.facts.value("root") == Some("EntitiesDescriptor");
            when(aggregate && whole.facts.value("creationInstant").is_none(), || {
                "there is no PublicationInfo with a creationInstant".into()
            })
        }),
    ),
    Rule::saml(
        "saml.creation-instant.range",
        Warn,
        "creationInstant is not in the future, and validUntil is 5 to 28 days after it",
        "build the aggregate anew before it is signed",
        "eduGAIN Metadata Aggregation Practice Statement, A4 to A6",
        Check::Document(creation),
    ),
    Rule::saml(
        "saml.entities.none",
        Block,
        "an aggregate holds at least one entity",
        "an empty aggregate ends every login: look for what failed before it came here",
        "SAML V2.0 Metadata, section 2.3.1",
        Check::Document(|whole| {
            when(whole.facts.value("entities") == Some("0"), || "there is no entity".into())
        }),
    )
    .lenient(),
    Rule::saml(
        "saml.entity.misplaced",
        Block,
        "entities and groups are the root or stand directly in a group, behind what the group says of them; roles stand directly in an entity, and keys and endpoints in a role",
        "take it out, or put it where it belongs: some consumers find it where it is, and nobody would have reviewed it",
        "SAML V2.0 Metadata, sections 2.3.1, 2.3.2 and 2.4.1",
        Check::Reader,
    )
    .firm(),
    Rule::saml(
        "saml.split.group",
        Block,
        "when each entity is signed on its own, nothing that a group says of its entities gets lost",
        "let the aggregator write EntityAttributes and KeyAuthority into the entities; or, where who fetches single entities needs neither, lower the rule in the profile",
        "SAML V2.0 Metadata Extension for Entity Attributes, section 2.1; Shibboleth metadata profile",
        Check::Reader,
    ),
    Rule::saml(
        "saml.split.extension",
        Warn,
        "when each entity is signed on its own, no extension of a group gets lost, such as a usage policy",
        "let the aggregator write it into the entities; or, where nobody misses it, lower the rule in the profile",
        "SAML V2.0 Metadata Extensions for Registration and Publication Information, section 2.2",
        Check::Reader,
    ),
    Rule::saml(
        "saml.private-key",
        Block,
        "no private key stands in the document",
        "take it out, and have its owner replace the key: it is no longer private",
        "NIST SP 800-57 part 1, section 5.3.5",
        Check::Reader,
    )
    .firm(),
    Rule::saml(
        "saml.ecdsa.consumers",
        Warn,
        "the signature is of a kind that all consumers verify",
        "ask your consumers, or sign with an RSA line for those that cannot",
        "Azure AD B2C, older SimpleSAMLphp and Keycloak do not verify ECDSA",
        Check::Document(|whole| match whole.standard.key.parts() {
            Parts::Rsa { .. } => vec![],
            Parts::Ec { .. } | Parts::Okp { .. } => vec!["some SAML consumers do not verify ECDSA".into()],
        }),
    ),
    Rule::saml(
        "saml.waiver.expired",
        Warn,
        "no waiver of the profile has expired",
        "mend what it excused, or have it approved anew; then take it out of the profile",
        "a safeguard of this program: exceptions have an end",
        Check::Document(|whole| {
            let expired = |waiver: &&crate::policy::Waiver| waiver.expires <= whole.standard.now;
            let expired = whole.standard.profile.waivers.iter().filter(expired);
            let told = expired.map(|waiver| {
                format!("the waiver of {} for {} ended at {}", waiver.rule, waiver.subject, waiver.expires)
            });
            told.collect()
        }),
    ),
    Rule::saml(
        "saml.brake.removed",
        Block,
        "no more entities vanish at once than the profile's brake allows",
        "find out why they are gone; if it is meant, give --release-brake REASON to review and sign",
        "a safeguard of this program: a lost import looks like many departures",
        Check::Document(|whole| {
            let Some((brake, difference)) = brake(whole) else { return vec![] };
            let (gone, before) = (difference.removed as u64, difference.before as u64);
            let max = brake.removed_percent_max;
            when(gone * 100 > before * max, || {
                format!("{gone} of {before} entities are gone; the brake allows {max} %")
            })
        }),
    ),
    Rule::saml(
        "saml.brake.keys",
        Block,
        "no more entities change their keys at once than the profile's brake allows",
        "find out who changed them; if it is meant, give --release-brake REASON to review and sign",
        "a safeguard of this program: who takes over a registry exchanges keys",
        Check::Document(|whole| {
            let Some((brake, difference)) = brake(whole) else { return vec![] };
            let (changed, max) = (difference.keys_changed() as u64, brake.keys_changed_max);
            when(changed > max, || format!("the keys of {changed} entities differ; the brake allows {max}"))
        }),
    ),
];

fn until(facts: &Facts) -> impl Iterator<Item = Instant> {
    facts.values("validUntil").filter_map(|value| Instant::parse_xml(value).ok())
}

fn brake<'a>(whole: &'a Whole<'_>) -> Option<(&'a crate::policy::Brake, &'a crate::policy::Difference)> {
    Some((whole.standard.profile.brake.as_ref()?, whole.difference?))
}

fn creation(whole: &Whole<'_>) -> Vec<String> {
    let Some(value) = whole.facts.value("creationInstant") else { return vec![] };
    let Ok(created) = Instant::parse_xml(value) else { return vec![format!("creationInstant is '{value}'")] };
    if created > whole.standard.now {
        return vec![format!("creationInstant {created} is in the future")];
    }
    let odd = |until: &Instant| !(5 * 86_400..=28 * 86_400).contains(&until.seconds_since(created));
    let odd = until(whole.facts).filter(odd);
    odd.map(|until| format!("validUntil {until} is not 5 to 28 days after creationInstant {created}"))
        .collect()
}
