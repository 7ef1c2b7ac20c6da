//! What lets clients in, and an anchor's keys for another channel: every rule has a vector that triggers it and one that does
//! not, strangers take what is signed, and what must stay secret does.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use fedroot::artefact::{Kind, Listing, Prepared, Surroundings, Terms, VaultKey, kind};
use fedroot::base::clock::Instant;
use fedroot::base::disk::Document;
use fedroot::base::fault::{Class, Fault};
use fedroot::base::random;
use fedroot::key::{Line, PublicKey};
use fedroot::policy::{Facts, Last, Profile, RULES};

use qrcode::{Color, EcLevel, QrCode};
use serde_json::{Value, json};

use crate::client_keys::sign_made;
use crate::kinds::{find, key, rules_of};
use crate::support::{Folder, files, peers, root};

pub(crate) const NOW: &str = "2026-11-22T12:00:00Z";

/// The groups of rules, and the kind whose documents are their vectors.
const GROUPS: [(&str, &str); 5] = [
    ("provisioning", "provisioning-authorisation"),
    ("client-key", "provisioning-authorisation"),
    ("access-token", "access-token"),
    ("software-statement", "software-statement"),
    ("oob-keys", "oob-keys"),
];

pub(crate) fn line() -> Line {
    "example.org/prod/metadata".parse().unwrap()
}

/// A vault with the line's key, a key of another environment, and what another client was authorised with.
#[derive(Default)]
pub(crate) struct Vault {
    pub(crate) other: Option<PublicKey>,
    pub(crate) signed: Arc<Vec<(Line, Facts)>>,
}

impl Surroundings for Vault {
    fn keys(&self) -> Result<Arc<Vec<VaultKey>>, Fault> {
        let other: Line = "example.org/sandbox/metadata".parse()?;
        let mut keys = vec![(line(), key().public()?)];
        keys.extend(self.other.iter().map(|key| (other.clone(), key.clone())));
        let created = Instant::parse(NOW)?;
        let kept = |(line, public): (Line, PublicKey)| VaultKey {
            id: line.version(1),
            public,
            created,
            listing: Listing::Listed,
            wanted: Some(vec![]),
        };
        Ok(Arc::new(keys.into_iter().map(kept).collect()))
    }

    fn profiles(&self) -> Result<Arc<Vec<(Line, Profile)>>, Fault> {
        Ok(Arc::default())
    }

    fn signed(&self, _kind: &str) -> Result<Arc<Vec<(Line, Facts)>>, Fault> {
        Ok(self.signed.clone())
    }
}

pub(crate) fn prepared<T>(
    kind: &dyn Kind,
    document: &Document,
    (profile, last, vault): (&str, Option<&Last>, &Vault),
    record: Option<&mut dyn Write>,
    then: impl FnOnce(&dyn Prepared) -> T,
) -> Result<T, Fault> {
    let (key_id, public) = (line().version(1), key().public()?);
    let terms = Terms {
        key: &key_id,
        public: &public,
        certificate: None,
        ends: None,
        profile: &Profile::parse(profile)?,
        now: Instant::parse(NOW)?,
        last,
        vault,
        released: None,
    };
    kind.prepare(document, &terms, &mut random::system(), record).map(|prepared| then(prepared.as_ref()))
}

pub(crate) fn profile(kind: &str, vectors: &Path) -> String {
    let section = fs::read_to_string(vectors.join("profile.toml")).unwrap();
    format!("version = 1\nkinds = [\"{kind}\"]\npolicy_ref = \"vectors\"\n{section}")
}

/// Signs, and reads the record that the signature left.
pub(crate) fn signed(kind: &dyn Kind, path: &Path, profile: &str, last: Option<&Last>) -> Last {
    let document = kind.open(path).unwrap();
    let mut record = Vec::new();
    let with = (profile, last, &Vault::default());
    let done = prepared(kind, &document, with, Some(&mut record), |prepared| {
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

fn examine(kind: &dyn Kind, vectors: &Path, rule: &str, name: &str) -> Option<BTreeSet<&'static str>> {
    let (folder, profile) = (vectors.join(rule), profile(kind.name(), vectors));
    let last = find(&folder, "last").map(|path| signed(kind, &path, &profile, None));
    let mut vault = Vault::default();
    match find(&folder, "other") {
        Some(path) if path.extension().is_some_and(|ending| ending == "pem") => {
            vault.other = Some(PublicKey::from_pem(&fs::read_to_string(path).unwrap()).unwrap());
        }
        // What another client was authorised with, by the same line.
        Some(path) => {
            let other = signed(kind, &path, &profile, None);
            vault.signed = Arc::new(vec![(line(), other.facts().clone())]);
        }
        None => {}
    }
    let document = kind.open(&find(&folder, name)?).unwrap();
    let found = prepared(kind, &document, (&profile, last.as_ref(), &vault), None, |prepared| {
        rules_of(prepared.examined())
    });
    Some(found.unwrap_or_else(|fault| panic!("{rule}: {name}: {fault}")))
}

#[test]
fn every_rule_about_grants_has_a_vector_that_triggers_it_and_one_that_does_not() {
    let mut faults = Vec::new();
    for (group, name) in GROUPS {
        let (kind, vectors) = (kind(name).unwrap(), root().join(format!("tests/vectors/{group}-rules")));
        let rules: Vec<_> = RULES.iter().filter(|rule| rule.kind == group).map(|rule| rule.id).collect();
        assert!(!rules.is_empty(), "{group} has no rules");
        for rule in &rules {
            for (vector, is_breach) in [("bad", true), ("good", false)] {
                match examine(kind, &vectors, rule, vector) {
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
            if !matches!(name.as_str(), "ORIGIN" | "profile.toml") && !rules.contains(&name.as_str()) {
                faults.push(format!("{name}: there is no such rule"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_grant_in_which_everything_is_right_has_no_findings() {
    for (group, name) in GROUPS.into_iter().filter(|(group, _)| *group != "client-key") {
        let vectors = root().join(format!("tests/vectors/{group}-rules"));
        let rule = RULES.iter().find(|rule| rule.kind == group).unwrap().id;
        assert_eq!(examine(kind(name).unwrap(), &vectors, rule, "good"), Some(BTreeSet::new()), "{name}");
    }
}

#[test]
fn nobody_changes_what_a_firm_rule_means() {
    let firm: Vec<_> = RULES.iter().filter(|rule| rule.is_firm).collect();
    assert!(firm.len() > 10);
    for rule in firm {
        let head = "version = 1\nkinds = [\"access-token\"]\npolicy_ref = \"x\"\n";
        let weight = format!("{head}[rules]\n\"{}\" = \"note\"\n", rule.id);
        let waiver = format!(
            "{head}[[waivers]]\nrule = \"{}\"\nsubject = \"*\"\nreason = \"r\"\napprover = \"a\"\nexpires = \"2027-01-01T00:00:00Z\"\n",
            rule.id
        );
        for profile in [weight, waiver] {
            let fault = Profile::parse(&profile).unwrap_err();
            assert!(fault.message().contains("firm"), "{fault}");
        }
    }
}

#[test]
fn a_token_is_limited_by_its_environment_whatever_the_profile_says() {
    let vectors = root().join("tests/vectors/access-token-rules");
    let profile = format!("{}valid_for_max = \"P300D\"\n", profile("access-token", &vectors));
    let good = fs::read_to_string(vectors.join("access-token.cnf.none/good.toml")).unwrap();
    for (lifetime, is_refused) in [("PT1H", false), ("PT1H1S", true), ("P1D", true)] {
        let text = good.replace("PT1H", lifetime);
        let document = Document::from_bytes("token", text.into_bytes());
        let kind = kind("access-token").unwrap();
        let with = (profile.as_str(), None, &Vault::default());
        let found = prepared(kind, &document, with, None, |prepared| rules_of(prepared.examined())).unwrap();
        assert_eq!(found.contains("access-token.exp.too-far"), is_refused, "{lifetime}");
    }
}

#[test]
fn every_token_has_a_name_of_its_own_and_the_claims_of_rfc_9068() {
    let vectors = root().join("tests/vectors/access-token-rules");
    let profile = profile("access-token", &vectors);
    let kind = kind("access-token").unwrap();
    let document = kind.open(&vectors.join("access-token.cnf.none/good.toml")).unwrap();
    let mut names = BTreeSet::new();
    for _ in 0..50 {
        prepared(kind, &document, (&profile, None, &Vault::default()), None, |prepared| {
            for claim in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti", "cnf.jkt"] {
                assert!(prepared.facts().value(claim).is_some(), "{claim}");
            }
            assert_eq!(prepared.facts().value("typ"), Some("at+jwt"));
            let name = prepared.facts().value("jti").unwrap().to_owned();
            // 128 bits in base64url.
            assert_eq!(name.len(), 22);
            assert!(names.insert(name));
        })
        .unwrap();
    }
}

#[test]
fn changed_grants_never_panic() {
    for (group, name) in GROUPS {
        let (kind, vectors) = (kind(name).unwrap(), root().join(format!("tests/vectors/{group}-rules")));
        let profile = profile(name, &vectors);
        let paths = files(&vectors, "good.toml");
        assert!(paths.len() > 3, "{group} has no vectors");
        for path in paths.into_iter().take(3) {
            let bytes = fs::read(&path).unwrap();
            let step = bytes.len() / 12 + 1;
            for at in (0..bytes.len()).step_by(step) {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1;
                for changed in [bytes[..at].to_vec(), flipped, [&bytes[..at], &bytes[at + 1..]].concat()] {
                    let document = Document::from_bytes("changed", changed);
                    let with = (profile.as_str(), None, &Vault::default());
                    if let Err(fault) = prepared(kind, &document, with, None, |_| ()) {
                        assert_ne!(fault.code().class, Class::Internal, "{}: {fault}", path.display());
                    }
                }
            }
        }
    }
}

/// A vault with a P-384 and an RSA line in sandbox for all these kinds.
fn vault() -> Folder {
    let folder = Folder::empty();
    let auditor = folder.auditor.clone();
    folder.good(&["init", "--vault", "V", "--auditor", &auditor]);
    let kinds: Vec<_> = GROUPS.iter().map(|(_, kind)| *kind).filter(|kind| *kind != "client-key").collect();
    let mut profile = format!("version = 1\nkinds = {kinds:?}\npolicy_ref = \"tests\"\n");
    for group in ["provisioning", "access-token", "software-statement", "oob-keys"] {
        let section = root().join(format!("tests/vectors/{group}-rules/profile.toml"));
        profile.push_str(&fs::read_to_string(section).unwrap());
    }
    fs::write(folder.path("p.toml"), profile).unwrap();
    for (line, key) in [("p384", "p384.pem"), ("rsa", "rsa4096.pem")] {
        let line = format!("example.org/sandbox/{line}");
        let adopt = ["key", "adopt", &line, "--from", key, "--profile", "p.toml", "--recipient", &auditor];
        folder.good(&[&adopt[..], &["--vault", "V"]].concat());
        let public = folder.good(&["key", "export", &line, "--vault", "V"]);
        fs::write(folder.path(&format!("{}.pub", &line[20..])), public.stdout).unwrap();
    }
    for (group, rule) in [
        ("provisioning", "provisioning.line"),
        ("access-token", "access-token.cnf.none"),
        ("software-statement", "software-statement.id.none"),
    ] {
        let path = root().join(format!("tests/vectors/{group}-rules/{rule}/good.toml"));
        let text = fs::read_to_string(path).unwrap().replace("\"prod\"", "\"sandbox\"");
        fs::write(folder.path(&format!("{group}.toml")), text).unwrap();
    }
    folder
}

fn sign(folder: &Folder, kind: &str, line: &str, document: &str, output: &str) -> String {
    let line = format!("example.org/sandbox/{line}");
    let sign = ["sign", kind, document, "--key", &line, "--identity", "auditor.key", "--output", output];
    let ran = folder.good(&[&sign[..], &["--vault", "V"]].concat());
    ran.stdout + &ran.stderr
}

fn shell(folder: &Folder, line: &str) -> String {
    let ran = folder.shell(line);
    assert_eq!(ran.code, 0, "{line}\n{}{}", ran.stdout, ran.stderr);
    ran.stdout
}

#[test]
fn a_token_is_seen_by_nobody_but_its_file() {
    let folder = vault();
    let told = sign(&folder, "access-token", "p384", "access-token.toml", "token");
    let token = String::from_utf8(folder.read("token")).unwrap();
    let secret = token.rsplit('.').next().unwrap();
    assert!(told.contains("the file is a secret"), "{told}");
    assert_eq!(fs::metadata(folder.path("token")).unwrap().permissions().mode() & 0o777, 0o600);
    let shown = folder.good(&["verify", "access-token", "token", "--trust", "p384.pub"]);
    let ledger = folder.good(&["ledger", "show", "--identity", "auditor.key", "--vault", "V"]);
    for text in [&told, &shown.stdout, &shown.stderr, &ledger.stdout, &ledger.stderr] {
        assert!(!text.contains(secret) && !text.contains(token.split('.').next().unwrap()), "{text}");
    }
    for path in files(&folder.path("V"), "") {
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{}", path.display());
    }
}

#[test]
fn jose_takes_every_grant() {
    if !peers("jose_takes_every_grant", &["jose"]) {
        return;
    }
    let folder = vault();
    for (line, alg) in [("p384", "ES384"), ("rsa", "RS256")] {
        let public = PublicKey::from_pem(&fs::read_to_string(folder.path(&format!("{line}.pub"))).unwrap());
        let jwk = fedroot::format::jose::jwk(&public.unwrap());
        fs::write(folder.path("key.jwk"), jwk.to_string()).unwrap();
        for (kind, document) in [
            ("provisioning-authorisation", "provisioning.toml"),
            ("access-token", "access-token.toml"),
            ("software-statement", "software-statement.toml"),
        ] {
            let output = format!("{line}-{kind}.jwt");
            sign(&folder, kind, line, document, &output);
            let claims = shell(&folder, &format!("jose jws ver -i {output} -k key.jwk -O-"));
            let claims: Value = serde_json::from_str(&claims).unwrap();
            assert!(claims["exp"].is_u64() && claims["jti"].is_string(), "{claims}");
            let head = shell(&folder, &format!("cut -d. -f1 {output} | jose b64 dec -i-"));
            assert!(head.contains(&format!("\"alg\":\"{alg}\"")), "{head}");
        }
    }
}

/// What stands between these two, as a reader of the page would copy it.
fn copied<'a>(page: &'a str, from: &str, to: &str) -> Vec<String> {
    let parts: Vec<&'a str> = page.split(from).skip(1).map(|part| part.split(to).next().unwrap()).collect();
    let plain = |text: &str| {
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
        text.replace("&#39;", "'").replace("&amp;", "&")
    };
    parts.into_iter().map(plain).collect()
}

/// An anchor's keys, signed by both lines: first the P-384 key, then, over the finished document, the RSA key.
pub(crate) fn signed_by_both() -> Folder {
    let folder = vault();
    let input = "contact = \"+49 30 <1234>\"\n[[keys]]\nfile = \"rsa.pub\"\nalg = \"RS256\"\n";
    fs::write(folder.path("anchor.toml"), input).unwrap();
    sign(&folder, "oob-keys", "p384", "anchor.toml", "first.json");
    sign(&folder, "oob-keys", "rsa", "first.json", "both.json");
    assert_eq!(folder.read("first.json"), folder.read("both.json"));
    folder
}

#[test]
fn openssl_and_jose_verify_an_anchors_keys_as_its_page_says() {
    if !peers("openssl_and_jose_verify_an_anchors_keys_as_its_page_says", &["openssl", "jose", "basenc"]) {
        return;
    }
    let folder = signed_by_both();
    let page = String::from_utf8(folder.read("both.json.html")).unwrap();
    let (jose, openssl) =
        (copied(&page, "<pre id=\"jose\">", "</pre>"), copied(&page, "<pre class=\"openssl\">", "</pre>"));
    assert_eq!((jose.len(), openssl.len()), (1, 2));
    let document: Value = serde_json::from_slice(&folder.read("both.json")).unwrap();
    let told = shell(&folder, &format!("set -e; doc=both.json\n{}", jose[0]));
    for key in document["keys"].as_array().unwrap() {
        assert!(told.contains(key["kid"].as_str().unwrap()), "{told}");
    }
    for (number, lines) in openssl.iter().enumerate() {
        let told = shell(&folder, &format!("set -e; doc=both.json\n{lines}"));
        let digest = document["thumbprints"][number]["spki_sha256"].as_str().unwrap();
        assert!(told.contains("Verified OK") && told.contains(digest), "{told}");
    }
    // Another document is verified by none of them.
    let other = String::from_utf8(folder.read("both.json")).unwrap().replace("1234", "4321");
    fs::write(folder.path("other.json"), other).unwrap();
    shell(&folder, "cp both.json.jws other.json.jws");
    for lines in jose.iter().chain(&openssl) {
        assert_ne!(folder.shell(&format!("set -e; doc=other.json\n{lines}")).code, 0);
    }
}

#[test]
fn an_anchors_keys_are_signed_by_each_of_them_once() {
    let folder = signed_by_both();
    let verify = |file: &str, key: &str| folder.fedroot(&["verify", "oob-keys", file, "--trust", key]);
    for key in ["p384.pub", "rsa.pub"] {
        let ran = verify("both.json", key);
        assert!(ran.code == 0 && ran.stdout.contains("2 of its 2 keys signed it"), "{}", ran.stderr);
    }
    assert_eq!(verify("first.json", "rsa.pub").code, 3, "only the first key has signed it");
    let again = |line: &str, document: &str| {
        let line = format!("example.org/sandbox/{line}");
        let sign = ["sign", "oob-keys", document, "--key", &line, "--identity", "auditor.key"];
        folder.fedroot(&[&sign[..], &["--output", "again.json", "--vault", "V"]].concat())
    };
    let ran = again("rsa", "both.json");
    assert!(ran.code == 2 && ran.stderr.contains("signed it already"), "{}", ran.stderr);
    // A signature of another document does not count.
    fs::write(folder.path("alone.toml"), "").unwrap();
    sign(&folder, "oob-keys", "p384", "alone.toml", "alone.json");
    fs::copy(folder.path("both.json.jws"), folder.path("alone.json.jws")).unwrap();
    assert_eq!(verify("alone.json", "p384.pub").code, 3);
    let ran = again("rsa", "alone.json");
    assert_eq!(ran.code, 3, "{}", ran.stderr);
}

/// A finished document says what one composed here can say, and somebody has signed it: nothing slips in unseen.
#[test]
fn a_finished_document_of_an_anchors_keys_says_nothing_else_and_is_signed() {
    let folder = signed_by_both();
    let read = |name: &str| serde_json::from_slice::<Value>(&folder.read(name)).unwrap();
    let (first, jws) = (read("first.json"), read("first.json.jws"));
    let sign = |document: &Value, signatures: &Value| sign_made(&folder, document, signatures);
    let unsigned = sign(&first, &json!([]));
    assert!(unsigned.code == 3 && unsigned.stderr.contains("it holds no signature"));
    for name in ["emergency_notice", "jwks_uri", "contact"] {
        let mut other = first.clone();
        other[name] = json!([7]);
        let ran = sign(&other, &jws["signatures"]);
        assert!(ran.code == 3 && ran.stderr.contains(name), "{name}: {}", ran.stderr);
    }
}

/// The dark modules of a drawing, four modules away from its edges.
fn modules(drawing: &str) -> BTreeSet<(usize, usize)> {
    let steps = drawing.split("path d=\"").nth(1).unwrap().split('"').next().unwrap().split('M').skip(1);
    let place = |step: &str| {
        let (x, y) = step.strip_suffix("h1v1h-1z").unwrap().split_once(' ').unwrap();
        (x.parse::<usize>().unwrap() - 4, y.parse::<usize>().unwrap() - 4)
    };
    steps.map(place).collect()
}

#[test]
fn the_codes_of_an_anchors_page_hold_its_keys() {
    let folder = signed_by_both();
    let page = String::from_utf8(folder.read("both.json.html")).unwrap();
    let drawings: Vec<&str> = page.split("<svg ").skip(1).collect();
    for (drawing, name) in drawings.iter().zip(["p384.pub", "rsa.pub"]) {
        let public = PublicKey::from_pem(&fs::read_to_string(folder.path(name)).unwrap()).unwrap();
        let jwk = fedroot::format::jose::jwk(&public).to_string();
        let code = QrCode::with_error_correction_level(jwk, EcLevel::L).unwrap();
        let width = code.width();
        let dark = code.to_colors().into_iter().enumerate().filter(|(_, color)| *color == Color::Dark);
        let dark: BTreeSet<_> = dark.map(|(place, _)| (place % width, place / width)).collect();
        assert!(dark == modules(drawing), "{name}");
    }
}

#[test]
fn a_browser_shows_an_anchors_keys_and_asks_for_nothing() {
    let folder = signed_by_both();
    let page = String::from_utf8(folder.read("both.json.html")).unwrap();
    let check = |page: &str| {
        for tag in page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
            let is_policy = tag.starts_with("meta http-equiv=\"Content-Security-Policy\"");
            assert!(!tag.starts_with("script") && !tag.starts_with("img"), "<{tag}>");
            for attribute in [" src", " href", " on", " style=", " action"] {
                assert!(is_policy || !tag.contains(attribute), "<{tag}>");
            }
        }
        assert!(!page.contains("url(") && !page.contains("@import") && page.contains("default-src 'none'"));
        assert!(page.contains("+49 30 &lt;1234&gt;"), "foreign text is text");
        assert_eq!(page.matches("<svg ").count(), 2);
    };
    check(&page);
    if !peers("a_browser_shows_an_anchors_keys_and_asks_for_nothing", &["chromium"]) {
        return;
    }
    let url = format!("file://{}", folder.path("both.json.html").display());
    let ran = folder
        .command("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        .args(["--dump-dom", &url])
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&ran.stdout);
    assert!(shown.contains("Keys of https://anchor.example.org"), "{shown}");
    check(&shown);
}
