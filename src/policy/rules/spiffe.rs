//! Rules about SPIFFE bundles (SPIFFE Trust Domain and Bundle; X509-SVID; JWT-SVID).

use std::collections::BTreeSet;

use serde_json::Value;

use super::jwks::{keys, name, text};
use super::when;
use crate::policy::difference::Change;
use crate::policy::examine::CLAIMS_FACT;
use crate::policy::finding::{Check, Whole};
use crate::policy::sequence::{SEQUENCE_MAX, is_after_revocation};
use crate::policy::{REVOKED, Rule, SEQUENCE_STEP, Severity};

use Severity::{Block, Note, Warn};

const BUNDLE: &str = "SPIFFE Trust Domain and Bundle, section 4.1.2";
const SVID: &str = "X509-SVID, sections 4 and 5; SPIFFE Trust Domain and Bundle, section 4.2.2";
const JWT: &str = "SPIFFE Trust Domain and Bundle, section 4.2.3";

const fn rule(
    id: &'static str,
    severity: Severity,
    text: (&'static str, &'static str, &'static str),
    check: Check,
) -> Rule {
    Rule::of("spiffe-bundle", id, severity, text, check)
}

/// So many revocations can be followed by a jump.
const SEQUENCES_LEFT_MIN: u64 = SEQUENCE_STEP << 10;

pub(super) static ROWS: &[Rule] = &[
    rule(
        "spiffe-bundle.trust-domain.name",
        Block,
        (
            "the name of the trust domain is of a-z, 0-9, dot, dash and underscore, at most 255",
            "write the name without scheme and path, in lower case",
            "SPIFFE ID, section 2.1",
        ),
        Check::Document(|whole| {
            let name = domain(whole);
            let is_taken = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_".contains(c);
            let is_good = !name.is_empty() && name.len() <= 255 && name.chars().all(is_taken);
            when(!is_good, || format!("the trust domain is called '{name}'"))
        }),
    ),
    rule(
        "spiffe-bundle.trust-domain.bound",
        Block,
        (
            "the trust domain is the one that the profile names",
            "take the key line of this trust domain, or name it in spiffe.trust_domain of the profile",
            "a safeguard of this program: one line, one trust domain",
        ),
        Check::Document(|whole| {
            let (own, name) = (&whole.standard.profile.spiffe.trust_domain, domain(whole));
            when(own.is_empty() || own != name, || {
                format!("the bundle is of '{name}', the profile of '{own}'")
            })
        }),
    ),
    rule(
        "spiffe-bundle.sequence.missing",
        Block,
        ("the bundle has a sequence", "write spiffe_sequence, a whole number", BUNDLE),
        Check::Document(|whole| {
            when(sequence(whole).is_none(), || "there is no spiffe_sequence that is a whole number".into())
        }),
    ),
    rule(
        "spiffe-bundle.sequence.rises",
        Block,
        (
            "the sequence rises with every change, jumps ahead when a key of the line was revoked, and never falls",
            "leave sequence out: it then follows what was signed last; give a higher one that somebody saw as sequence_seen",
            BUNDLE,
        ),
        Check::Document(rises),
    )
    .firm(),
    rule(
        "spiffe-bundle.sequence.jump",
        Warn,
        (
            "the sequence goes up in small steps, and leaves numbers for those to come",
            "leave sequence out: it then follows what was signed last",
            "SPIFFE Trust Domain and Bundle, section 4.1.1: it only rises; RFC 8259, section 6: none is above 2^53 - 1",
        ),
        Check::Document(jumps),
    ),
    rule(
        "spiffe-bundle.refresh-hint.range",
        Block,
        (
            "the refresh hint is within the limits of the profile",
            "set refresh_hint, or spiffe.refresh_hint_min and _max in the profile",
            "SPIFFE Federation, section 4.1: new keys are published 3 to 5 hints before they are used",
        ),
        Check::Document(|whole| {
            let spiffe = &whole.standard.profile.spiffe;
            let (min, max) = (spiffe.refresh_hint_min, spiffe.refresh_hint_max);
            let hint = whole.json.get("spiffe_refresh_hint").and_then(Value::as_i64);
            let is_good = hint.is_some_and(|hint| (min.seconds()..=max.seconds()).contains(&hint));
            when(!is_good, || match hint {
                Some(hint) => format!("the hint is {hint} seconds; the profile allows {min} to {max}"),
                None => "there is no spiffe_refresh_hint that is a whole number".into(),
            })
        }),
    ),
    rule(
        "spiffe-bundle.member.unknown",
        Warn,
        ("the bundle has only the members that the standard defines", "take the member out", BUNDLE),
        Check::Document(|whole| {
            let members = whole.json.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
            let known = ["keys", "spiffe_sequence", "spiffe_refresh_hint"];
            members.filter(|name| !known.contains(name)).map(|name| format!("it has '{name}'")).collect()
        }),
    ),
    rule(
        "spiffe-bundle.key.use",
        Block,
        (
            "each key is for X.509-SVIDs or for JWT-SVIDs",
            "write use: x509-svid or jwt-svid; SPIRE refuses a bundle with any other",
            "SPIFFE Trust Domain and Bundle, section 4.2",
        ),
        Check::Document(|whole| {
            let is_other = |key: &&Value| !matches!(text(key, "use"), Some("x509-svid" | "jwt-svid"));
            let others = keys(whole.json).filter(is_other);
            others
                .map(|key| format!("{} is for {}", name(key), text(key, "use").unwrap_or("nothing")))
                .collect()
        }),
    ),
    rule(
        "spiffe-bundle.key.removed",
        Warn,
        (
            "no key vanishes before the last SVID that it signed",
            "wait for the longest SVID; a key that was stolen goes at once",
            "SPIFFE Federation, section 4.1; SPIRE prunes 24 hours after the end",
        ),
        Check::Document(|whole| {
            let Some(last) = whole.last else { return vec![] };
            let now: BTreeSet<&str> = whole.facts.values("authority").collect();
            let gone = last.values("authority").filter(|one| !now.contains(one));
            gone.map(|one| format!("the key {one} is gone")).collect()
        }),
    ),
    rule(
        "spiffe-bundle.key.mixed",
        Note,
        (
            "the bundle is either for X.509-SVIDs or for JWT-SVIDs",
            "sign one with only = \"jwt\" too, for consumers that stop at certificates",
            "Python spiffe 0.3: JwtBundle.parse fails where a key has no kid",
        ),
        Check::Document(|whole| {
            let has = |purpose: &str| keys(whole.json).any(|key| text(key, "use") == Some(purpose));
            when(has("x509-svid") && has("jwt-svid"), || "it has keys for both".into())
        }),
    ),
    rule(
        "spiffe-bundle.x509.kid",
        Block,
        ("a key for X.509-SVIDs has no kid", "take kid out", SVID),
        Check::Document(|whole| {
            let with = x509(whole).filter(|key| key.get("kid").is_some());
            with.map(|key| format!("{} is for X.509-SVIDs", name(key))).collect()
        }),
    ),
    rule(
        "spiffe-bundle.x509.x5c",
        Block,
        (
            "a key for X.509-SVIDs has exactly one certificate",
            "write x5c with the certificate of the authority",
            SVID,
        ),
        Check::Document(|whole| {
            let count = |key: &Value| key.get("x5c").and_then(Value::as_array).map_or(0, Vec::len);
            let odd = x509(whole).map(count).filter(|count| *count != 1);
            odd.map(|count| format!("a key for X.509-SVIDs has {count} certificates")).collect()
        }),
    ),
    rule(
        "spiffe-bundle.x509.authority",
        Block,
        (
            "its certificate is that of an authority: CA:TRUE, critical keyUsage with keyCertSign, and cRLSign at most",
            "make the certificate anew with these extensions",
            SVID,
        ),
        Check::Reader,
    ),
    rule(
        "spiffe-bundle.x509.uri",
        Block,
        (
            "its certificate names no URI but the SPIFFE ID of the trust domain, without a path",
            "make the certificate anew with spiffe://TRUST-DOMAIN or no URI",
            SVID,
        ),
        Check::Reader,
    ),
    rule(
        "spiffe-bundle.x509.valid",
        Block,
        ("its certificate is valid now", "take the certificate out, or make it anew", SVID),
        Check::Reader,
    ),
    rule(
        "spiffe-bundle.x509.self-signed",
        Warn,
        (
            "its certificate is self-signed",
            "publish the root, not the certificate below it",
            "SPIFFE Trust Domain and Bundle, section 4.2.2: SHOULD",
        ),
        Check::Reader,
    ),
    rule(
        "spiffe-bundle.jwt.x5c",
        Warn,
        ("a key for JWT-SVIDs has no certificate", "take x5c out: it is for X.509-SVIDs", JWT),
        Check::Document(|whole| {
            let with = jwt(whole).filter(|key| key.get("x5c").is_some());
            with.map(|key| format!("{} has x5c", name(key))).collect()
        }),
    ),
    rule(
        "spiffe-bundle.jwt.alg",
        Block,
        (
            "a key for JWT-SVIDs signs with RS, ES or PS and 256, 384 or 512",
            "take an RSA key, or one on P-256, P-384 or P-521",
            "JWT-SVID, section 3: every other algorithm is refused",
        ),
        Check::Document(|whole| {
            let is_curve = |key: &Value| {
                text(key, "kty") == Some("RSA")
                    || matches!(text(key, "crv"), Some("P-256" | "P-384" | "P-521"))
            };
            let is_taken = |alg: &str| {
                let (family, hash) = alg.split_at_checked(2).unwrap_or_default();
                ["RS", "ES", "PS"].contains(&family) && ["256", "384", "512"].contains(&hash)
            };
            let is_other = |key: &&Value| !is_curve(key) || !text(key, "alg").is_none_or(is_taken);
            let what = |key| text(key, "alg").or(text(key, "crv")).unwrap_or("another algorithm");
            jwt(whole).filter(is_other).map(|key| format!("{} is for {}", name(key), what(key))).collect()
        }),
    ),
];

fn jwt<'a>(whole: &Whole<'a>) -> impl Iterator<Item = &'a Value> {
    keys(whole.json).filter(|key| text(key, "use") == Some("jwt-svid"))
}

fn domain<'a>(whole: &Whole<'a>) -> &'a str {
    whole.facts.value("trust_domain").unwrap_or_default()
}

fn x509<'a>(whole: &Whole<'a>) -> impl Iterator<Item = &'a Value> {
    keys(whole.json).filter(|key| text(key, "use") == Some("x509-svid"))
}

fn sequence(whole: &Whole<'_>) -> Option<u64> {
    whole.json.get("spiffe_sequence")?.as_u64()
}

/// What a revocation calls for, twice over, is no jump. A first bundle may take over from another program.
fn jumps(whole: &Whole<'_>) -> Vec<String> {
    let last = whole.last.and_then(|last| last.value("spiffe_sequence")?.parse::<u64>().ok());
    let Some(now) = sequence(whole) else { return vec![] };
    let step = now.saturating_sub(last.unwrap_or(now));
    let left = SEQUENCE_MAX.saturating_sub(now);
    when(step > 2 * SEQUENCE_STEP || left < SEQUENCES_LEFT_MIN, || match last {
        Some(last) => format!("the sequence is {now}, and was {last}; {left} numbers are left"),
        None => format!("the sequence is {now}; {left} numbers are left"),
    })
}

fn rises(whole: &Whole<'_>) -> Vec<String> {
    let last = whole.last.and_then(|last| last.value("spiffe_sequence")?.parse::<u64>().ok());
    let past = last.unwrap_or(0).saturating_add(SEQUENCE_STEP);
    if sequence(whole).is_some_and(|now| now < past) && is_after_revocation(whole.facts, whole.last) {
        let revoked = whole.facts.value(REVOKED).unwrap_or_default();
        return vec![format!(
            "whoever holds {revoked}, revoked, may have used any number: take {past} at least"
        )];
    }
    let (Some(last), Some(now)) = (last, sequence(whole)) else { return vec![] };
    if now < last {
        return vec![format!("the sequence is {now}, and was {last}")];
    }
    // What was not noted last time tells nothing.
    let is_content = |change: &Change| {
        change.path != "spiffe_sequence" && (change.path != CLAIMS_FACT || !change.removed.is_empty())
    };
    let is_changed = whole.difference.is_some_and(|found| found.facts.iter().any(is_content));
    when(now == last && is_changed, || format!("the bundle changed, and its sequence is {last} as before"))
}
