//! Rules about sets of keys, in every kind of document that is one, and what the consumers in the profile demand of them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::when;
use crate::policy::finding::{Check, Whole};
use crate::policy::{Consumer, Rule, Severity};

use Severity::{Block, Warn};

/// The members that RFC 7517 and RFC 7518 define for public signature keys.
const KNOWN: &[&str] =
    &["kty", "use", "key_ops", "alg", "kid", "x5u", "x5c", "x5t", "x5t#S256", "n", "e", "crv", "x", "y"];
/// What Google takes in an uploaded set.
const GOOGLE: &[&str] = &["kty", "alg", "use", "kid", "n", "e", "x", "y", "crv"];
/// The most keys of one type that AWS reads.
const AWS_KEYS_MAX: usize = 100;
/// The most keys that Oracle's gateway reads.
const ORACLE_KEYS_MAX: usize = 10;
/// The longest kid that an external signer may have (KEP-740).
const KUBERNETES_KID_MAX: usize = 1_024;

const AWS: &str = "AWS STS, AssumeRoleWithWebIdentity: as it behaves, September 2026";
const AZURE: &str = "Microsoft Entra: considerations for workload identity federation";
const GCP: &str = "Google Cloud: workload identity federation, uploaded key sets";
const ORACLE: &str = "Oracle Cloud API gateway: JSON Web Key sets";
const KUBERNETES: &str = "Kubernetes KEP-740 and pkg/serviceaccount/jwt.go";

const fn rule(
    id: &'static str,
    severity: Severity,
    text: (&'static str, &'static str, &'static str),
    check: fn(&Whole<'_>) -> Vec<String>,
) -> Rule {
    Rule::of("jwks", id, severity, text, Check::Document(check))
}

pub(super) static ROWS: &[Rule] = &[
    rule(
        "jwks.keys.none",
        Block,
        (
            "a set holds at least one key, unless the document says that all are revoked",
            "put the keys in; in a SPIFFE bundle revoke_all = true says that none is meant",
            "SPIFFE Trust Domain and Bundle, section 4.2.2: an empty set revokes everything",
        ),
        |whole| {
            let is_meant = whole.facts.value("revoke_all") == Some("true");
            // Consumers pass over keys of a type that they do not know (RFC 7517, section 5).
            let is_known = |key: &Value| matches!(text(key, "kty"), Some("RSA" | "EC" | "OKP"));
            when(!keys(whole.json).any(is_known) && !is_meant, || "there is no key".into())
        },
    ),
    rule(
        "jwks.keys.many",
        Block,
        (
            "a set holds no more keys than the profile allows",
            "take out keys that are no longer used, or set keys_max in the profile",
            "SPIRE issue 4699: consumers stop to read large sets",
        ),
        |whole| {
            let (count, max) = (keys(whole.json).count() as u64, limits(whole).1);
            when(count > max, || format!("there are {count} keys; the profile allows {max}"))
        },
    ),
    rule(
        "jwks.key.twice",
        Block,
        (
            "no key stands in the set twice",
            "take one of them out: what is retired under one name stays valid under the other, and a key has one use",
            "RFC 7517, section 4.5; NIST SP 800-57 part 1, section 5.2: one key, one use",
        ),
        |whole| {
            let mut seen = BTreeSet::new();
            let mut found = Vec::new();
            for key in keys(whole.json) {
                if !seen.insert(["n", "x", "y"].map(|name| text(key, name))) {
                    found.push(format!("{} is there before", name(key)));
                }
            }
            found
        },
    ),
    Rule::of(
        "jwks",
        "jwks.key.taken",
        Block,
        (
            "no key belongs to another line, tenant or environment or stands in the set of one, and none is a subordinate's federation key",
            "make a key for this line alone, or sign the set with the line that the key is of",
            "SPIFFE Federation, section 6.2; NIST SP 800-57 part 1, section 5.2: one key, one use",
        ),
        Check::Reader,
    ),
    Rule::of(
        "jwks",
        "jwks.key.line",
        Block,
        (
            "of each key line of the vault it lists the keys that the rotation of that line wants, and no others",
            "list the keys that `fedroot status` has as published, active or retiring, or make the move first",
            "RFC 7517, section 5; OpenID Connect Core 1.0, section 10.1.1; SPIFFE Federation, section 4.1",
        ),
        Check::Reader,
    ),
    rule(
        "jwks.kid.missing",
        Block,
        (
            "every key that verifies tokens has a kid",
            "give each key a kid: consumers find it by that name",
            "OpenID Connect Core 1.0, section 10.1; SPIFFE Trust Domain and Bundle, section 4.2.3",
        ),
        |whole| {
            let without = tokens(whole).filter(|key| text(key, "kid").is_none());
            without.map(|key| format!("{} has no kid", name(key))).collect()
        },
    ),
    rule(
        "jwks.alg.missing",
        Warn,
        (
            "every key that verifies tokens says its algorithm",
            "write alg: some libraries guess RS256 where it is missing",
            "RFC 8725, section 3.1; PyJWT 2.15 refuses RS512 and PS384 otherwise",
        ),
        |whole| {
            let without = tokens(whole).filter(|key| text(key, "alg").is_none());
            without.map(|key| format!("{} has no alg", name(key))).collect()
        },
    ),
    rule(
        "jwks.alg.use",
        Block,
        (
            "a key is for one thing, which its alg, its use, its key_ops and its type agree on",
            "write alg as the key is used: one for signatures with use sig, one for encryption with use enc; key_ops is best left out",
            "RFC 7517, sections 4.2 to 4.4; RFC 7518, sections 3.1 and 4.1; RFC 8037, sections 2 and 3",
        ),
        |whole| keys(whole.json).filter_map(|key| torn(key).or_else(|| misused(key))).collect(),
    ),
    rule(
        "jwks.use.missing",
        Warn,
        (
            "every key says what it is for, in a word that consumers know",
            "write use, such as sig",
            "RFC 7517, section 4.2; SPIFFE Trust Domain and Bundle, section 4.2",
        ),
        |whole| {
            // What other words there are in a bundle is a rule of bundles.
            let is_known = |own: &str| whole.kind == "spiffe-bundle" || ["sig", "enc"].contains(&own);
            let without = keys(whole.json).filter(|key| !text(key, "use").is_some_and(is_known));
            without
                .map(|key| match text(key, "use") {
                    Some(own) => format!("{} is for '{own}', which says nothing here", name(key)),
                    None => format!("{} has no use", name(key)),
                })
                .collect()
        },
    ),
    rule(
        "jwks.member.unknown",
        Warn,
        (
            "keys have no members but those that the standards define",
            "take the member out, or ask who reads it",
            "SPIFFE Trust Domain and Bundle, section 4: no other parameters",
        ),
        |whole| foreign(whole, KNOWN),
    ),
    rule(
        "jwks.aws.alg",
        Block,
        (
            "for AWS: algorithms are RS or ES with 256, 384 or 512",
            "take another key, or take aws out of the profile's consumers",
            AWS,
        ),
        |whole| algorithms(whole, Consumer::Aws, &["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]),
    ),
    rule(
        "jwks.aws.key-ops",
        Block,
        ("for AWS: no key has key_ops", "take key_ops out; use says the same", AWS),
        |whole| {
            let read = reads(whole, Consumer::Aws);
            let with = keys(whole.json).filter(|key| read && key.get("key_ops").is_some());
            with.map(|key| format!("{} has key_ops", name(key))).collect()
        },
    ),
    rule(
        "jwks.aws.keys",
        Block,
        (
            "for AWS: at most 100 keys of each type",
            "take out keys that are no longer used: tokens by RSA keys fail otherwise",
            "AWS STS, as it behaves, September 2026; SPIRE issue 4699",
        ),
        |whole| {
            let read = reads(whole, Consumer::Aws);
            let count = |kty: &str| keys(whole.json).filter(|key| text(key, "kty") == Some(kty)).count();
            let many = ["RSA", "EC"].into_iter().filter(|kty| read && count(kty) > AWS_KEYS_MAX);
            many.map(|kty| format!("there are {} keys of the type {kty}", count(kty))).collect()
        },
    ),
    rule(
        "jwks.azure.alg",
        Block,
        (
            "for Azure: the algorithm is RS256",
            "take an RSA key with alg RS256, or take azure out of the profile's consumers",
            AZURE,
        ),
        |whole| algorithms(whole, Consumer::Azure, &["RS256"]),
    ),
    rule(
        "jwks.gcp.alg",
        Block,
        (
            "for Google Cloud: the algorithm is RS256 or ES256",
            "take another key, or take gcp out of the profile's consumers",
            GCP,
        ),
        |whole| algorithms(whole, Consumer::Gcp, &["RS256", "ES256"]),
    ),
    rule(
        "jwks.gcp.members",
        Block,
        (
            "for Google Cloud: keys have only kty, alg, use, kid and their numbers",
            "take the member out; Google refuses sets with x5c or x5t",
            GCP,
        ),
        |whole| if reads(whole, Consumer::Gcp) { foreign(whole, GOOGLE) } else { vec![] },
    ),
    rule(
        "jwks.oracle.keys",
        Block,
        (
            "for Oracle: at most 10 keys",
            "take out keys that are no longer used, or take oracle out of the profile's consumers",
            ORACLE,
        ),
        |whole| {
            let count = keys(whole.json).count();
            when(reads(whole, Consumer::Oracle) && count > ORACLE_KEYS_MAX, || {
                format!("there are {count} keys")
            })
        },
    ),
    rule(
        "jwks.kubernetes.alg",
        Block,
        (
            "for Kubernetes: the algorithm is RS256, ES256, ES384 or ES512",
            "take RS256 for RSA keys, and for curves their own algorithm",
            KUBERNETES,
        ),
        |whole| algorithms(whole, Consumer::Kubernetes, &["RS256", "ES256", "ES384", "ES512"]),
    ),
    rule(
        "jwks.kubernetes.kid",
        Block,
        ("for Kubernetes: a kid has at most 1024 bytes", "give the key a shorter kid", "Kubernetes KEP-740"),
        |whole| {
            let read = reads(whole, Consumer::Kubernetes);
            let is_long = |key: &&Value| text(key, "kid").is_some_and(|kid| kid.len() > KUBERNETES_KID_MAX);
            let long = keys(whole.json).filter(|key| read && is_long(key));
            long.map(|key| format!("{} is too long", name(key))).collect()
        },
    ),
];

/// The keys of a set.
pub(super) fn keys(set: &Value) -> impl Iterator<Item = &Value> {
    set.get("keys").and_then(Value::as_array).into_iter().flatten()
}

/// Those that verify tokens: in a SPIFFE bundle not those whose certificates verify others. Elsewhere nobody knows such a use.
fn tokens<'a>(whole: &Whole<'a>) -> impl Iterator<Item = &'a Value> {
    let is_bundle = whole.kind == "spiffe-bundle";
    keys(whole.json).filter(move |key| !is_bundle || text(key, "use") != Some("x509-svid"))
}

/// A key with `key_ops` of two uses, or with those of its private half; or one for key agreement that is to verify.
fn torn(key: &Value) -> Option<String> {
    let ops: Vec<&str> = key
        .get("key_ops")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let has = |some: &[&str]| ops.iter().any(|op| some.contains(op));
    let agrees = matches!(text(key, "crv"), Some("X25519" | "X448"));
    let what = match () {
        () if has(&["sign", "decrypt", "unwrapKey"]) => "has key_ops of a private key",
        () if has(&["verify"]) && has(&["encrypt", "wrapKey", "deriveKey", "deriveBits"]) => {
            "has key_ops of two uses"
        }
        () if agrees && (text(key, "use") == Some("sig") || has(&["verify"])) => {
            "verifies nothing: its curve is for key agreement"
        }
        () => return None,
    };
    Some(format!("{} {what}", name(key)))
}

/// A key whose algorithm is of another use or type.
fn misused(key: &Value) -> Option<String> {
    let (alg, own) = (text(key, "alg")?, text(key, "use"));
    let (encrypts, types): (bool, &[&str]) = match alg {
        _ if alg.starts_with("RSA") => (true, &["RSA"]),
        _ if alg.starts_with("ECDH-ES") => (true, &["EC", "OKP"]),
        _ if alg.starts_with("RS") || alg.starts_with("PS") => (false, &["RSA"]),
        _ if alg.starts_with("ES") => (false, &["EC"]),
        _ if alg.starts_with("Ed") => (false, &["OKP"]),
        _ => return None,
    };
    let is_of_use = own.is_none_or(|own| (own == "enc") == encrypts);
    let is_of_type = text(key, "kty").is_some_and(|kty| types.contains(&kty));
    let what = || format!("{} is for {alg}, of the type {}", name(key), text(key, "kty").unwrap_or("none"));
    (!is_of_use || !is_of_type).then(|| format!("{}, and its use is {}", what(), own.unwrap_or("none")))
}

/// A member that is text.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

/// What a message calls a key.
pub(super) fn name(key: &Value) -> String {
    let kty = text(key, "kty").unwrap_or("unknown");
    text(key, "kid").map_or_else(|| format!("a key of the type {kty}"), |kid| format!("the key '{kid}'"))
}

/// The consumers and the most keys that the profile has for this kind.
fn limits<'a>(whole: &Whole<'a>) -> (&'a [Consumer], u64) {
    let profile = whole.standard.profile;
    match whole.kind {
        "kubernetes" => (&profile.kubernetes.consumers, profile.kubernetes.keys_max),
        "spiffe-bundle" => (&profile.spiffe.consumers, profile.spiffe.keys_max),
        _ => (&profile.jwks.consumers, profile.jwks.keys_max),
    }
}

fn reads(whole: &Whole<'_>, consumer: Consumer) -> bool {
    limits(whole).0.contains(&consumer)
}

/// The keys whose algorithm this consumer does not take.
fn algorithms(whole: &Whole<'_>, consumer: Consumer, taken: &[&str]) -> Vec<String> {
    let is_other = |key: &&Value| text(key, "alg").is_none_or(|alg| !taken.contains(&alg));
    let others = tokens(whole).filter(|key| reads(whole, consumer) && is_other(key));
    others.map(|key| format!("{} is for {}", name(key), text(key, "alg").unwrap_or("nothing"))).collect()
}

/// The members that are none of these.
fn foreign(whole: &Whole<'_>, known: &[&str]) -> Vec<String> {
    let members = keys(whole.json).filter_map(Value::as_object).flatten();
    let foreign: BTreeSet<&String> =
        members.map(|(name, _)| name).filter(|name| !known.contains(&name.as_str())).collect();
    foreign.into_iter().map(|name| format!("a key has the member '{name}'")).collect()
}
