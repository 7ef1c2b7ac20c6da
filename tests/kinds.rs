//! The kinds that are not XML: every rule has a vector that triggers it and one that does not; strangers check what is signed.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fedroot::artefact::{Kind, Listing, Prepared, Surroundings, Terms, VaultKey, kind};
use fedroot::base::clock::Instant;
use fedroot::base::disk::Document;
use fedroot::base::fault::{Class, Fault};
use fedroot::base::random;
use fedroot::format::jose::jwk;
use fedroot::key::{KeyId, Line, PrivateKey, PublicKey, private_key};
use fedroot::policy::{Examined, Facts, Last, Profile, RULES};

use serde_json::json;

use crate::peers::libraries;
use crate::support::{FEDROOT, Folder, corpus, files, peers, root, skip};

const NOW: &str = "2026-11-22T12:00:00Z";

/// The groups of rules; the vectors of each are documents of the kind of that name.
const GROUPS: [&str; 4] = ["bundle", "jwks", "kubernetes", "spiffe-bundle"];

thread_local! {
    pub(crate) static PUBLIC: PublicKey = key().public().unwrap();
    static OTHER: PublicKey = read_key("p384-other").public().unwrap();
}

pub(crate) fn key() -> Box<dyn PrivateKey> {
    read_key("p384")
}

pub(crate) fn rsa() -> Box<dyn PrivateKey> {
    read_key("rsa4096")
}

pub(crate) fn read_key(name: &str) -> Box<dyn PrivateKey> {
    let pem = fs::read_to_string(root().join(format!("tests/keys/{name}.pem"))).unwrap();
    let (_, der) = der::SecretDocument::from_pem(&pem).unwrap();
    private_key(der.as_bytes()).unwrap()
}

/// A vault in which another tenant has a key that no document lists yet, and another line a bundle with a key of its own.
pub(crate) struct Vault;

impl Surroundings for Vault {
    fn keys(&self) -> Result<Arc<Vec<VaultKey>>, Fault> {
        let line: Line = "other.example/prod/keys".parse().unwrap();
        let (public, created) = (OTHER.with(Clone::clone), Instant::parse(NOW).unwrap());
        Ok(Arc::new(vec![VaultKey {
            id: line.version(1),
            public,
            created,
            listing: Listing::Unpublished,
            wanted: Some(vec![("saml-signing", false), ("jwks", false), ("spiffe", false)]),
        }]))
    }

    fn profiles(&self) -> Result<Arc<Vec<(Line, Profile)>>, Fault> {
        Ok(Arc::default())
    }

    fn signed(&self, kind: &str) -> Result<Arc<Vec<(Line, Facts)>>, Fault> {
        let mut facts = Facts::default();
        facts.add_json("", &json!({ "keys": [jwk(&bundled())] }));
        let line: Line = "example.org/sandbox/domain".parse().unwrap();
        Ok(Arc::new(if kind == "spiffe-bundle" { vec![(line, facts)] } else { vec![] }))
    }
}

/// The key of that bundle.
fn bundled() -> PublicKey {
    let secret = p384::SecretKey::from_slice(&[7; 48]).unwrap();
    let der = pkcs8::EncodePrivateKey::to_pkcs8_der(&secret).unwrap();
    private_key(der.as_bytes()).unwrap().public().unwrap()
}

pub(crate) fn prepared<T>(
    kind: &dyn Kind,
    document: &Document,
    with: (&str, Option<&Last>),
    then: impl FnOnce(&dyn Prepared) -> T,
) -> T {
    try_prepared(kind, document, with, None, then).unwrap()
}

/// Prepares a document as a line of the vectors would.
pub(crate) fn try_prepared<T>(
    kind: &dyn Kind,
    document: &Document,
    (profile, last): (&str, Option<&Last>),
    record: Option<&mut dyn Write>,
    then: impl FnOnce(&dyn Prepared) -> T,
) -> Result<T, Fault> {
    let line: Line = "example.org/prod/metadata".parse().unwrap();
    let (key_id, public): (KeyId, _) = (line.version(1), PUBLIC.with(Clone::clone));
    let terms = Terms {
        key: &key_id,
        public: &public,
        certificate: None,
        ends: None,
        profile: &Profile::parse(profile).unwrap(),
        now: Instant::parse(NOW).unwrap(),
        last,
        vault: &Vault,
        released: None,
    };
    kind.prepare(document, &terms, &mut random::system(), record).map(|prepared| then(prepared.as_ref()))
}

/// Signs, and reads the record that the signature left.
fn signed(kind: &dyn Kind, document: &Document, profile: &str) -> Last {
    let mut record = Vec::new();
    let done = try_prepared(kind, document, (profile, None), Some(&mut record), |prepared| {
        let signature =
            key().sign(prepared.scheme(), &prepared.octets().concat(), &mut random::system()).unwrap();
        prepared.finish(&signature, &mut Vec::new()).unwrap();
        assert_eq!(
            prepared.finish_beside(std::slice::from_ref(&signature)).unwrap().len(),
            prepared.beside().len()
        );
    });
    done.unwrap();
    Last::read(Document::from_bytes("record", record)).unwrap()
}

pub(crate) fn rules_of(examined: &Examined) -> BTreeSet<&'static str> {
    examined.findings.iter().map(|finding| finding.rule.id).collect()
}

/// The file of this name in a folder, whatever its ending.
pub(crate) fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    let mut paths = entries.map(|entry| entry.unwrap().path());
    paths.find(|path| path.file_stem().is_some_and(|stem| stem == name))
}

/// What the rules find in a vector. The list of a bundle is a document by itself; of the others companions are read.
fn examine(kind: &dyn Kind, folder: &Path, name: &str) -> Option<BTreeSet<&'static str>> {
    let open = |path: &Path| match kind.name() {
        "bundle" => Document::open(path).unwrap(),
        _ => kind.open(path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display())),
    };
    let profile = find(folder, "profile").map(|path| fs::read_to_string(path).unwrap()).unwrap_or_default();
    let profile = format!("version = 1\nkinds = [\"{}\"]\npolicy_ref = \"vectors\"\n{profile}", kind.name());
    let last = find(folder, "last").map(|path| signed(kind, &open(&path), &profile));
    let document = open(&find(folder, name)?);
    Some(prepared(kind, &document, (&profile, last.as_ref()), |prepared| rules_of(prepared.examined())))
}

#[test]
fn every_rule_of_these_kinds_has_a_vector_that_triggers_it_and_one_that_does_not() {
    let mut faults = Vec::new();
    for group in GROUPS {
        let (kind, vectors) = (kind(group).unwrap(), root().join(format!("tests/vectors/{group}-rules")));
        let rules: Vec<_> = RULES.iter().filter(|rule| rule.kind == group).map(|rule| rule.id).collect();
        assert!(!rules.is_empty(), "{group} has no rules");
        for rule in &rules {
            for (vector, is_breach) in [("bad", true), ("good", false)] {
                match examine(kind, &vectors.join(rule), vector) {
                    None => faults.push(format!("{rule}: there is no {vector} vector")),
                    Some(found) if found.contains(rule) != is_breach => {
                        faults.push(format!("{rule}: the {vector} vector triggers {found:?}"));
                    }
                    Some(_) => {}
                }
            }
        }
        for entry in fs::read_dir(&vectors).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if !matches!(name.as_str(), "ORIGIN" | "make.py") && !rules.contains(&name.as_str()) {
                faults.push(format!("{name}: there is no such rule"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

pub(crate) fn vault_with(kind: &str, more: &str) -> Folder {
    let folder = Folder::empty();
    let auditor = folder.auditor.clone();
    folder.good(&["init", "--vault", "V", "--auditor", &auditor]);
    let profile = format!("version = 1\nkinds = [\"{kind}\", \"jwks\"]\npolicy_ref = \"tests\"\n{more}");
    fs::write(folder.path("p.toml"), profile).unwrap();
    for (line, key) in [("p384", "p384.pem"), ("rsa", "rsa4096.pem")] {
        let line = format!("example.org/sandbox/{line}");
        let adopt = ["key", "adopt", &line, "--from", key, "--profile", "p.toml", "--recipient", &auditor];
        folder.good(&[&adopt[..], &["--vault", "V"]].concat());
        let public = folder.good(&["key", "export", &line, "--vault", "V"]);
        fs::write(folder.path(&format!("{}.pub", &line[20..])), public.stdout).unwrap();
    }
    folder
}

pub(crate) fn sign(folder: &Folder, kind: &str, line: &str, document: &str, output: &str) {
    let line = format!("example.org/sandbox/{line}");
    let sign = ["sign", kind, document, "--key", &line, "--identity", "auditor.key", "--output", output];
    folder.good(&[&sign[..], &["--vault", "V"]].concat());
}

pub(crate) fn shell(folder: &Folder, line: &str) {
    let ran = folder.shell(line);
    assert_eq!(ran.code, 0, "{line}\n{}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_detached_signature_is_for_one_kind_and_one_document() {
    let folder = vault_with("spiffe-bundle", "[spiffe]\ntrust_domain = \"example.org\"\n");
    let set = "[[keys]]\nline = true\nuse = \"jwt-svid\"\n";
    fs::write(folder.path("set.toml"), set).unwrap();
    fs::write(folder.path("bundle.toml"), format!("trust_domain = \"example.org\"\n{set}")).unwrap();
    sign(&folder, "jwks", "p384", "set.toml", "set.json");
    sign(&folder, "spiffe-bundle", "p384", "bundle.toml", "bundle.json");
    let verify = |kind: &str, file: &str| folder.fedroot(&["verify", kind, file, "--trust", "p384.pub"]);
    assert_eq!(verify("jwks", "set.json").code, 0);
    assert_eq!(verify("spiffe-bundle", "bundle.json").code, 0);
    // A bundle is a set of keys, too: only its typ tells the signatures apart.
    assert_eq!(verify("jwks", "bundle.json").code, 3);
    let (good, jws) = (folder.read("set.json"), folder.read("set.json.jws"));
    for other in [[&good[..], b"\n"].concat(), good[..good.len() - 1].to_vec()] {
        fs::write(folder.path("set.json"), other).unwrap();
        assert_eq!(verify("jwks", "set.json").code, 3);
    }
    fs::write(folder.path("set.json"), &good).unwrap();
    let text = String::from_utf8(jws).unwrap();
    let (header, signature) = text.split_once("..").unwrap();
    for other in [format!("{header}.{}.{signature}", "e30"), format!("{header}..AAAA"), header.to_owned()] {
        fs::write(folder.path("set.json.jws"), other).unwrap();
        let ran = verify("jwks", "set.json");
        assert!(matches!(ran.code, 2 | 3), "{}", ran.stderr);
    }
}

#[test]
fn the_examples_run() {
    for (name, strangers) in [
        ("release-bundle", &["openssl", "sha384sum"][..]),
        ("kubernetes-issuer", &["openssl", "basenc"]),
        ("spiffe-upstream", &["openssl"]),
        ("scim-provisioning", &["openssl"]),
        ("openid-federation", &["openssl"]),
        ("rotation-saml", &["xmlsec1"]),
        ("rotation-openid-federation", &["node"]),
    ] {
        if !peers(&format!("the_examples_run: {name}"), strangers) {
            continue;
        }
        let folder = Folder::empty();
        let script = root().join(format!("examples/{name}/run"));
        let libraries = libraries();
        let run = |program: &str| {
            let (peers, script) = (libraries.display(), script.display());
            format!("TMPDIR=$PWD FEDROOT={program} FEDROOT_PEERS={peers} {script} 2>&1")
        };
        let ran = folder.shell(&run(FEDROOT));
        assert!(ran.code == 0 && ran.stdout.contains("done. The files are in"), "{name}\n{}", ran.stdout);
        if ran.stdout.contains("SKIPPED") {
            skip("the_examples_run", "a stranger of the example");
        }
        // A step that fails ends it: everything works but the verification.
        let stub = format!(
            "printf '#!/bin/sh\\n[ \"$1\" != verify ] && exec {FEDROOT} \"$@\"\\n' > stub && chmod 700 stub"
        );
        let ran = folder.shell(&format!("{stub} && {}", run("./stub")));
        assert!(ran.code != 0 && !ran.stdout.contains("done."), "{name}\n{}", ran.stdout);
    }
}

/// Consumers follow them, and compare the issuer octet by octet.
#[test]
fn the_addresses_of_an_issuer_are_proper_urls() {
    let kind = kind("kubernetes").unwrap();
    let profile = "version = 1\nkinds = [\"kubernetes\"]\npolicy_ref = \"x\"\n";
    let found = |issuer: &str, uri: &str| {
        let pem = PUBLIC.with(|key| key.to_pem().unwrap());
        let text = format!("issuer = {issuer:?}\njwks_uri = {uri:?}\n[[keys]]\npem = {pem:?}\n");
        prepared(kind, &Document::from_bytes("issuer.toml", text.into_bytes()), (profile, None), |prepared| {
            let found = rules_of(prepared.examined());
            ["kubernetes.issuer.url", "kubernetes.jwks-uri.url"].map(|rule| found.contains(rule))
        })
    };
    let (issuer, uri) = ("https://k.example.org", "https://k.example.org/openid/v1/jwks");
    for (own, at) in [(issuer, uri), ("https://k.example.org:6443/x", "https://[2001:db8::1]:6443/jwks?v=1")]
    {
        assert_eq!(found(own, at), [false, false], "{own} {at}");
    }
    for wrong in [
        "https://k.example.org@evil.example/j",
        "https://k.example.org:80@evil.example/j",
        "https://k.example.org\\@evil.example/j",
        "https://evil.example/j#k.example.org",
        "https://evil example/j",
        "https:///j",
        "https://k.example.org:x/j",
        "http://k.example.org/j",
        "HTTPS://k.example.org/j",
    ] {
        assert_eq!(found(issuer, wrong), [false, true], "{wrong}");
        assert_eq!(found(wrong, uri), [true, false], "{wrong}");
    }
    assert_eq!(found("https://k.example.org/?x", uri), [true, false]);
}

/// Whatever kind of set it is: a key of another tenant, or of the bundle of a line in another environment.
#[test]
fn keys_of_others_stand_in_no_set() {
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("k.pem");
    let heads = [
        ("jwks", ""),
        ("kubernetes", "issuer = \"https://k8s.example.org\"\njwks_uri = \"https://k8s.example.org/jwks\"\n"),
        ("spiffe-bundle", "trust_domain = \"example.org\"\n"),
    ];
    for (name, head) in heads {
        let profile = format!("version = 1\nkinds = [{name:?}]\npolicy_ref = \"x\"\n");
        let purpose = if name == "spiffe-bundle" { "use = \"jwt-svid\"\n" } else { "" };
        let taken = |key: &PublicKey| {
            fs::write(&pem, key.to_pem().unwrap()).unwrap();
            let path = folder.path().join("set.toml");
            fs::write(&path, format!("{head}[[keys]]\nfile = \"k.pem\"\n{purpose}")).unwrap();
            let kind = kind(name).unwrap();
            prepared(kind, &kind.open(&path).unwrap(), (&profile, None), |prepared| {
                rules_of(prepared.examined()).contains("jwks.key.taken")
            })
        };
        assert!(taken(&OTHER.with(Clone::clone)), "{name}: the key of another tenant");
        assert!(taken(&bundled()), "{name}: a key of another line's bundle");
        assert!(!taken(&PUBLIC.with(Clone::clone)), "{name}: the line's own key");
    }
}

#[test]
fn changed_documents_never_panic() {
    for group in GROUPS {
        let (kind, vectors) = (kind(group).unwrap(), root().join(format!("tests/vectors/{group}-rules")));
        let profile = format!("version = 1\nkinds = [\"{group}\"]\npolicy_ref = \"vectors\"\n");
        let paths = ["json", "toml", "sha384"].map(|ending| files(&vectors, ending)).concat();
        assert!(paths.len() > 10, "{group} has no vectors");
        for path in paths {
            let bytes = fs::read(&path).unwrap();
            let step = bytes.len() / 12 + 1;
            for at in (0..bytes.len()).step_by(step) {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1;
                for changed in [bytes[..at].to_vec(), flipped, [&bytes[..at], &bytes[at + 1..]].concat()] {
                    let document = Document::from_bytes("changed", changed);
                    if let Err(fault) = try_prepared(kind, &document, (&profile, None), None, |_| ()) {
                        assert_ne!(fault.code().class, Class::Internal, "{}: {fault}", path.display());
                    }
                }
            }
        }
    }
}

#[test]
fn spiffe_bundles_of_others_are_judged_as_their_names_say() {
    let Some(corpus) = corpus("spiffe_bundles_of_others_are_judged_as_their_names_say") else { return };
    let profile = "version = 1\nkinds = [\"spiffe-bundle\"]\npolicy_ref = \"x\"\n";
    let kind = kind("spiffe-bundle").unwrap();
    // They are of other trust domains, and some are old: only their shape is judged here.
    let is_shape = |rule: &&'static str| {
        ["x509.kid", "x509.x5c", "key.use", "kid.missing", "keys.none"].iter().any(|end| rule.ends_with(end))
    };
    let judge = |path: &Path| {
        let found = try_prepared(kind, &Document::open(path).unwrap(), (profile, None), None, |prepared| {
            rules_of(prepared.examined())
        });
        found.map(|found| found.into_iter().filter(is_shape).collect::<Vec<_>>())
    };
    for (name, expected) in [
        ("made/spiffe/bundle-1.json", &[][..]),
        ("made/spiffe/bundle-2-overlap.json", &[]),
        ("made/spiffe/empty-keys-revoke-all.json", &["jwks.keys.none"]),
        ("made/spiffe/invalid-jwt-no-kid.json", &["jwks.kid.missing"]),
        ("made/spiffe/invalid-two-x5c.json", &["spiffe-bundle.x509.x5c"]),
        ("made/spiffe/invalid-use-sig.json", &["spiffe-bundle.key.use"]),
        ("made/spiffe/invalid-x509-with-kid.json", &["spiffe-bundle.x509.kid"]),
        ("spiffe/go-spiffe/bundle_spiffebundle__spiffebundle_missing_kid.json", &["jwks.kid.missing"]),
        (
            "spiffe/go-spiffe/bundle_spiffebundle__spiffebundle_multiple_x509.json",
            &["spiffe-bundle.x509.x5c"],
        ),
        ("spiffe/go-spiffe/bundle_spiffebundle__spiffebundle_valid_1.json", &[]),
        ("spiffe/go-spiffe/bundle_spiffebundle__spiffebundle_valid_2.json", &[]),
    ] {
        let found = judge(&corpus.join("jose").join(name));
        assert_eq!(found.as_deref().map_err(ToString::to_string), Ok(expected), "{name}");
    }
}

#[test]
fn the_first_bundle_after_an_emergency_jumps_past_what_an_attacker_may_have_signed() {
    let folder = vault_with("spiffe-bundle", "[spiffe]\ntrust_domain = \"example.org\"\n");
    let line = "example.org/sandbox/p384";
    let bundle = |more: &str| {
        let set = "[[keys]]\nline = true\nuse = \"jwt-svid\"\n";
        fs::write(folder.path("bundle.toml"), format!("trust_domain = \"example.org\"\n{more}\n{set}"))
            .unwrap();
    };
    let sequence = |output: &str| {
        sign(&folder, "spiffe-bundle", "p384", "bundle.toml", output);
        let signed: serde_json::Value = serde_json::from_slice(&folder.read(output)).unwrap();
        signed["spiffe_sequence"].as_u64().unwrap()
    };
    let emergency = || {
        let auditor = folder.auditor.clone();
        folder.good(&["rotate", "stage", line, "--standby", "--recipient", &auditor, "--vault", "V"]);
        let asked = ["rotate", "emergency", line, "--reason", "stolen", "--vault", "V"];
        let dry: serde_json::Value =
            serde_json::from_str(&folder.good(&[&asked[..], &["--dry-run", "--json"]].concat()).stdout)
                .unwrap();
        folder.good(&[&asked[..], &["--confirm", dry["request"].as_str().unwrap()]].concat());
    };
    bundle("");
    assert_eq!((sequence("1.json"), sequence("2.json")), (1, 2));
    emergency();
    // By hand, too low a number is refused.
    bundle("sequence = 3");
    let low = folder.shell(&format!(
        "fedroot sign spiffe-bundle bundle.toml --key {line} --identity auditor.key --output 3.json --vault V"
    ));
    assert_eq!(low.code, 3, "{}{}", low.stdout, low.stderr);
    assert!(
        low.stderr.contains("spiffe-bundle.sequence.rises") && low.stderr.contains("take 1048578 at least")
    );
    bundle("");
    assert_eq!(sequence("3.json"), 2 + (1 << 20));
    assert_eq!(sequence("4.json"), 3 + (1 << 20), "once for each emergency");
    emergency();
    bundle("sequence_seen = 5000000000");
    assert_eq!(sequence("5.json"), 5_000_000_000 + (1 << 20));
}
