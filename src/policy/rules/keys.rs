//! Rules about the keys and certificates of entities.

use super::{SAML_2, when};
use crate::base::bytes::hex;
use crate::base::clock::Span;
use crate::policy::finding::{Check, Scene};
use crate::policy::{Certificate, Entity, Key, Role, Rule, Severity, Strength};

use Severity::{Block, Note, Warn};

const METAIOP: &str = "SAML V2.0 Metadata Interoperability Profile, section 2.6";

/// Certificates that end within this time are told of.
const SOON: Span = Span::of_days(30);

/// The curves that consumers know.
const CURVES: [&str; 3] = ["P-256", "P-384", "P-521"];

pub(super) static ROWS: &[Rule] = &[
    Rule::saml(
        "saml.idp.signing-key.missing",
        Warn,
        "every identity provider has a key to sign with, in a certificate",
        "ask for it: nobody can verify what this identity provider says",
        "SAML2Int; eduGAIN Metadata Aggregation Practice Statement, R1",
        Check::Entity(|entity, _| {
            let bare = entity.roles.iter().filter(|role| role.name == "IDPSSODescriptor").filter(|role| {
                let signs = |key: &&Key| key.purpose.as_deref() != Some("encryption");
                !role.keys.iter().filter(signs).any(|key| !key.certificates.is_empty())
            });
            bare.map(|_| "the identity provider has no signing certificate".into()).collect()
        }),
    ),
    Rule::saml(
        "saml.key.line",
        Block,
        "of each key line of the vault it lists the keys that the rotation of that line wants, and no others",
        "list the keys that `fedroot status` has as published, active or retiring, or make the move first",
        "SAML V2.0 Metadata Interoperability Profile, section 2.6.1; a safeguard of this program",
        Check::Reader,
    ),
    Rule::saml(
        "saml.certificate.unreadable",
        Warn,
        "every certificate and every key can be read",
        "ask for it again: consumers drop the whole entity, or the whole document",
        "SAFIRE, May 2018: one malformed entity took the federation down",
        Check::Entity(|entity, _| {
            let keys = entity.roles.iter().flat_map(|role| &role.keys);
            let keys = keys.chain(entity.authorities());
            let bad =
                keys.flat_map(|key| key.certificates.iter().chain(&key.others)).filter(|it| it.is_none());
            let bad = bad.count();
            when(bad > 0, || format!("{bad} certificates or keys cannot be read"))
        }),
    ),
    Rule::saml(
        "saml.certificate.expired",
        Note,
        "no certificate has expired",
        "ask for a new one: the profile ignores the date, and some consumers do not",
        METAIOP,
        Check::Entity(|entity, scene| {
            let now = scene.standard.now;
            let ends = entity.certificates().filter_map(|certificate| certificate.expires);
            ends.filter(|end| *end <= now).map(|end| format!("a certificate expired at {end}")).collect()
        }),
    ),
    Rule::saml(
        "saml.certificate.expires-soon",
        Note,
        "no certificate expires within 30 days",
        "remind its owner",
        METAIOP,
        Check::Entity(|entity, scene| {
            let now = scene.standard.now;
            let soon = |left: i64| left > 0 && left < SOON.seconds();
            let ends = entity.certificates().filter_map(|certificate| certificate.expires);
            let ends = ends.filter(|end| soon(end.seconds_since(now)));
            ends.map(|end| format!("a certificate expires at {end}")).collect()
        }),
    ),
    Rule::saml(
        "saml.certificate.weak-hash",
        Note,
        "no certificate is signed with MD5 or SHA-1",
        "none is needed for trust in metadata; some libraries refuse to load it",
        METAIOP,
        Check::Entity(|entity, _| {
            let weak = entity.certificates().filter_map(|certificate| certificate.weak_hash);
            weak.map(|hash| format!("a certificate is signed with {hash}")).collect()
        }),
    ),
    Rule::saml(
        "saml.key.weak",
        Warn,
        "RSA keys have at least 2048 bits and a sound exponent, and no other kind but elliptic curves is used",
        "have the key replaced",
        "NIST SP 800-131A; SAML2Int",
        Check::Entity(|entity, _| of_keys(entity, weak)),
    ),
    Rule::saml(
        "saml.key.roca",
        Block,
        "no RSA key has the shape of CVE-2017-15361",
        "have the key replaced at once: it can be computed from its public half",
        "Nemec and others, The Return of Coppersmith's Attack, 2017",
        Check::Entity(|entity, _| {
            of_keys(entity, |certificate| {
                let is_roca = matches!(certificate.strength, Strength::Rsa { is_roca: true, .. });
                is_roca.then(|| format!("the key {} is of the ROCA kind", certificate.fingerprint))
            })
        }),
    )
    .lenient(),
    Rule::saml(
        "saml.key.curve",
        Warn,
        "elliptic curve keys lie on P-256, P-384 or P-521",
        "have the key replaced by one that consumers know",
        "XML Signature 1.1, section 6.4.3; FIPS 186-5",
        Check::Entity(|entity, _| {
            of_keys(entity, |certificate| match &certificate.strength {
                Strength::Curve(name) if !CURVES.contains(&name.as_str()) => Some(format!("a key on {name}")),
                _ => None,
            })
        }),
    ),
    Rule::saml(
        "saml.key.reference",
        Block,
        "every key stands where it is used, and no address of one",
        "write the key or its certificate there: consumers pass over the address, or take whatever it leads to",
        "SAML V2.0 Metadata Interoperability Profile, section 2.6.1; XML Signature 1.1, sections 4.5.3 and 4.5.10",
        Check::Reader,
    )
    .lenient(),
    Rule::saml(
        "saml.key.shared",
        Note,
        "one key does not serve many entities",
        "ask who holds it: whoever does is all of them",
        METAIOP,
        Check::Entity(|_, scene| scene.seen.shared.clone()),
    ),
    Rule::saml(
        "saml.key.federation",
        Block,
        "the key that signs the document is no entity's key",
        "have the entity take another key: it could pass for the federation, and the federation for it",
        "NIST SP 800-57 part 1, section 5.2",
        Check::Entity(federation),
    ),
    Rule::saml(
        "saml.key.compromised",
        Block,
        "no key is one whose private half everybody has",
        "have the key replaced at once: it came with the software, or was given away",
        "keys that software ships as examples; UK federation: list of compromised keys",
        Check::Entity(|entity, _| {
            of_keys(entity, |certificate| {
                let digest = hex(certificate.fingerprint.as_bytes());
                let known = COMPROMISED.iter().find(|(key, _)| *key == digest);
                known.map(|(_, whose)| format!("the key {} is {whose}", certificate.fingerprint))
            })
        }),
    )
    .lenient(),
    Rule::saml(
        "saml.key.several",
        Warn,
        "one KeyInfo holds one certificate",
        "write a KeyDescriptor for each key: of several certificates consumers take the first, or refuse all",
        "SAML V2.0 Metadata Interoperability Profile, section 2.6.1",
        Check::Entity(several),
    ),
    Rule::saml(
        "saml.key.missing",
        Note,
        "attribute authorities of SAML 2.0 have a key to sign with, service providers one to decrypt with",
        "ask for it: nobody can verify what the one says, or encrypt what the other receives",
        "SAML2Int; SAML V2.0 Metadata Interoperability Profile, section 2.6",
        Check::Entity(lacking),
    ),
    Rule::saml(
        "saml.key.requests",
        Warn,
        "a service provider that signs its requests has a key to sign with",
        "ask for it, or take AuthnRequestsSigned out: identity providers refuse its requests",
        "SAML V2.0 Metadata, section 2.4.4",
        Check::Entity(|entity, _| {
            let silent = entity.roles.iter().filter(|role| role.signs_requests && !has_key(role, "signing"));
            silent.map(|role| format!("{} says that it signs, and has no key for it", role.name)).collect()
        }),
    ),
];

/// SubjectPublicKeyInfo by SHA-256, and what is known of its private half.
const COMPROMISED: [(&str, &str); 3] = [
    (
        "ee607324cdae1567e5c8093c8d431c3eb6684b4c117fabfb942a1f3b16feb539",
        "the example that SimpleSAMLphp shipped up to version 1.11",
    ),
    ("bd7bf090c267cb2081cd0308b4295a0c50c212a71463e4185dbaa2fed5f2190d", "the example of ruby-saml"),
    (
        "96465ea5dc9bb2da7b351d808a7196e5761f2412a5040131c68d719aaba28fb9",
        "on the list of compromised keys of the UK federation",
    ),
];

fn has_key(role: &Role, purpose: &str) -> bool {
    let serves = |key: &&Key| key.purpose.as_deref().is_none_or(|own| own == purpose);
    role.keys.iter().filter(serves).any(|key| !(key.certificates.is_empty() && key.others.is_empty()))
}

fn several(entity: &Entity, _: &Scene<'_>) -> Vec<String> {
    let keys = entity.roles.iter().flat_map(|role| role.keys.iter().map(move |key| (role, key)));
    let bad = keys.filter(|(_, key)| key.certificates.len() > 1);
    bad.map(|(role, key)| {
        format!("{} certificates stand in one KeyInfo of {}", key.certificates.len(), role.name)
    })
    .collect()
}

fn lacking(entity: &Entity, _: &Scene<'_>) -> Vec<String> {
    let wanted = |role: &&Role| match role.name.as_str() {
        "AttributeAuthorityDescriptor" => (!has_key(role, "signing")).then_some("signing"),
        "SPSSODescriptor" => (!has_key(role, "encryption")).then_some("encryption"),
        _ => None,
    };
    // before SAML 2.0, keys were often named, and stood elsewhere
    let roles = entity.roles.iter().filter(|role| role.speaks(SAML_2));
    let poor = roles.filter_map(|role| Some((role, wanted(&role)?)));
    poor.map(|(role, purpose)| format!("{} has no key for {purpose}", role.name)).collect()
}

/// Its own keys, and those that vouch for them.
fn keys(entity: &Entity) -> impl Iterator<Item = &Certificate> {
    entity.keys().chain(entity.authorities().flat_map(Key::readable))
}

fn of_keys(entity: &Entity, look: impl Fn(&Certificate) -> Option<String>) -> Vec<String> {
    let mut found: Vec<String> = keys(entity).filter_map(look).collect();
    found.dedup();
    found
}

fn weak(certificate: &Certificate) -> Option<String> {
    match &certificate.strength {
        Strength::Rsa { bits, .. } if *bits < 2_048 => Some(format!("an RSA key of {bits} bits")),
        Strength::Rsa { bad_exponent: true, .. } => Some("an RSA key whose exponent is even or one".into()),
        Strength::Other(what) => Some(format!("a key of the algorithm {what}")),
        Strength::Rsa { .. } | Strength::Curve(_) => None,
    }
}

fn federation(entity: &Entity, scene: &Scene<'_>) -> Vec<String> {
    let own = scene.standard.key.fingerprint();
    let held = keys(entity).any(|key| key.fingerprint == own);
    when(held, || "one of its keys is the key that signs this document".into())
}
