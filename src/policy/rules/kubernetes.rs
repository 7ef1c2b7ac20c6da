//! Rules about a Kubernetes issuer: what every cloud that trusts it relies on.

use std::collections::BTreeSet;

use serde_json::Value;

use super::jwks::{keys, name, text};
use super::{host, when};
use crate::policy::finding::Check;
use crate::policy::{Facts, Rule, Severity};

use Severity::{Block, Warn};

const SERVED: &str = "Kubernetes, pkg/serviceaccount/openidmetadata.go";

const fn rule(
    id: &'static str,
    severity: Severity,
    text: (&'static str, &'static str, &'static str),
    check: Check,
) -> Rule {
    Rule::of("kubernetes", id, severity, text, check)
}

pub(super) static ROWS: &[Rule] = &[
    rule(
        "kubernetes.issuer.changed",
        Block,
        (
            "the issuer is the one that was signed last",
            "take the old issuer; for another cluster take another key line",
            "OpenID Connect Core 1.0, section 3.1.3.7: every consumer compares iss, octet by octet",
        ),
        Check::Document(|whole| {
            let (last, now) = (whole.last.and_then(|last| last.value("issuer")), issuer(whole.facts));
            let last = last.filter(|last| *last != now);
            last.map(|last| format!("the issuer is {now}, and was {last}")).into_iter().collect()
        }),
    ),
    rule(
        "kubernetes.issuer.bound",
        Block,
        (
            "the issuer is the one that the profile names, if it names one",
            "take the key line of this issuer",
            "a safeguard of this program: one line, one cluster",
        ),
        Check::Document(|whole| {
            let (own, now) = (&whole.standard.profile.kubernetes.issuer, issuer(whole.facts));
            when(!own.is_empty() && own != now, || format!("the issuer is {now}; the profile is for {own}"))
        }),
    ),
    rule(
        "kubernetes.issuer.url",
        Block,
        (
            "the issuer is an https URL of a host, without user, query and fragment",
            "write it as the API server has it in --service-account-issuer",
            "OpenID Connect Discovery 1.0, section 3",
        ),
        Check::Reader,
    ),
    rule(
        "kubernetes.jwks-uri.url",
        Block,
        (
            "jwks_uri is an https URL of a host, without user and fragment",
            "write where consumers fetch the set",
            SERVED,
        ),
        Check::Reader,
    ),
    rule(
        "kubernetes.jwks-uri.host",
        Warn,
        (
            "the set is fetched from the host of the issuer",
            "make sure that whoever runs the other host may speak for the issuer: it serves the keys",
            SERVED,
        ),
        Check::Document(|whole| {
            let uri = whole.facts.value("jwks_uri").unwrap_or_default();
            let (own, other) = (host(issuer(whole.facts)), host(uri));
            when(own != other, || format!("the issuer is {}, and the set is at {uri}", issuer(whole.facts)))
        }),
    ),
    rule(
        "kubernetes.kid",
        Block,
        (
            "each key has the kid that Kubernetes gives it",
            "leave kid out: it is the SHA-256 digest of the public key, and tokens name it so",
            "Kubernetes, pkg/serviceaccount/jwt.go, keyIDFromPublicKey",
        ),
        Check::Reader,
    ),
    rule(
        "kubernetes.key.use",
        Block,
        ("each key has use: sig", "leave use out: it is written by itself", SERVED),
        Check::Document(|whole| {
            let other = keys(whole.json).filter(|key| text(key, "use") != Some("sig"));
            other
                .map(|key| format!("{} is for {}", name(key), text(key, "use").unwrap_or("nothing")))
                .collect()
        }),
    ),
    rule(
        "kubernetes.key.alg",
        Block,
        (
            "each key has the algorithm that Kubernetes signs with",
            "leave alg out: it is RS256 for RSA, and for curves their own",
            "Kubernetes, pkg/serviceaccount/jwt.go, signerFromRSAPrivateKey",
        ),
        Check::Document(|whole| {
            let own = |key: &Value| match (text(key, "kty"), text(key, "crv")) {
                (Some("RSA"), _) => Some("RS256"),
                (_, Some("P-256")) => Some("ES256"),
                (_, Some("P-384")) => Some("ES384"),
                (_, Some("P-521")) => Some("ES512"),
                _ => None,
            };
            let others = keys(whole.json).filter(|key| own(key).is_none() || own(key) != text(key, "alg"));
            others
                .map(|key| format!("{} is for {}", name(key), text(key, "alg").unwrap_or("nothing")))
                .collect()
        }),
    ),
    rule(
        "kubernetes.key.removed",
        Warn,
        (
            "no key vanishes before the last token that it signed",
            "wait for the longest token: extended tokens live for a year (--service-account-extend-token-expiration)",
            "Kubernetes: managing service accounts, bound token volumes",
        ),
        Check::Document(|whole| {
            let now: BTreeSet<&str> = keys(whole.json).filter_map(|key| text(key, "kid")).collect();
            let gone = whole.last.into_iter().flat_map(kids).filter(|kid| !now.contains(kid));
            gone.map(|kid| format!("the key '{kid}' is gone: tokens it signed are refused at once")).collect()
        }),
    ),
];

fn issuer(facts: &Facts) -> &str {
    facts.value("issuer").unwrap_or_default()
}

/// The kids of the set that was signed last.
fn kids(facts: &Facts) -> impl Iterator<Item = &str> {
    let is_kid = |path: &str| path.starts_with("keys[") && path.ends_with("].kid");
    facts.iter().filter(move |fact| is_kid(&fact.path)).map(|fact| fact.value.as_str())
}
