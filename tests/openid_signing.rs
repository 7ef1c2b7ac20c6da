//! Documents of OpenID Federation before they are signed: every rule that needs the line, the vault or the past has a vector
//! that triggers it and one that does not, and histories of keys only grow.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::sync::Arc;

use fedroot::artefact::openid::Statement;
use fedroot::artefact::{Kind, Listing, Prepared, Surroundings, Terms, VaultKey, kind};
use fedroot::base::clock::Instant;
use fedroot::base::disk::Document;
use fedroot::base::fault::Fault;
use fedroot::base::random;
use fedroot::format::jose::{self, Draft, thumbprint};
use fedroot::key::{Line, PrivateKey, PublicKey, Signature, private_key};
use fedroot::policy::{Facts, Last, Profile, RULES, Severity};
use serde_json::{Map, Value, json};

use crate::support::{corpus, root};

thread_local! {
    /// Reading an RSA key checks its primes, which takes a while: once is enough.
    static KEYS: RefCell<BTreeMap<String, Arc<dyn PrivateKey>>> = RefCell::default();
}

/// A fixed key: `rsa` of the tests' files, or `k1` … `k9` on P-384.
fn key(name: &str) -> Arc<dyn PrivateKey> {
    let known = KEYS.with_borrow(|keys| keys.get(name).cloned());
    known.unwrap_or_else(|| {
        let key: Arc<dyn PrivateKey> = read_key(name).into();
        KEYS.with_borrow_mut(|keys| keys.insert(name.to_owned(), key.clone()));
        key
    })
}

fn read_key(name: &str) -> Box<dyn PrivateKey> {
    use pkcs8::EncodePrivateKey;
    if name == "rsa" {
        let pem = fs::read_to_string(root().join("tests/keys/rsa4096.pem")).unwrap();
        let (_, der) = der::SecretDocument::from_pem(&pem).unwrap();
        return private_key(der.as_bytes()).unwrap();
    }
    let number: u8 = name.strip_prefix('k').unwrap().parse().unwrap();
    let secret = p384::SecretKey::from_slice(&[number; 48]).unwrap();
    private_key(secret.to_pkcs8_der().unwrap().as_bytes()).unwrap()
}

pub(crate) fn public(name: &str) -> PublicKey {
    key(name).public().unwrap()
}

pub(crate) fn jwk(name: &str) -> Value {
    jose::jwk(&public(name))
}

/// Puts keys and times where their names stand.
fn filled(value: Value, now: Instant) -> Option<Value> {
    match value {
        Value::String(text) if text == "@none" => None,
        Value::String(text) => Some(match text.split_at_checked(5) {
            Some(("@jwks", names)) => json!({ "keys": names[1..].split(',').map(jwk).collect::<Vec<_>>() }),
            Some(("@jwk:", rest)) => {
                let (name, more) = rest.split_once(' ').unwrap_or((rest, ""));
                let mut key = jwk(name);
                if let Some(end) = more.strip_prefix("exp=@now") {
                    key["exp"] = (now.unix() + end.parse::<i64>().unwrap()).into();
                }
                key
            }
            Some(("@now+" | "@now-", _)) => (now.unix() + text[4..].parse::<i64>().unwrap()).into(),
            _ => text.into(),
        }),
        Value::Array(all) => Some(all.into_iter().filter_map(|one| filled(one, now)).collect()),
        Value::Object(all) => {
            let all = all.into_iter().filter_map(|(name, one)| Some((name, filled(one, now)?)));
            Some(Value::Object(all.collect()))
        }
        other => Some(other),
    }
}

/// Changes what differs.
fn overlay(base: &mut Value, change: &Value) {
    match (base, change) {
        (Value::Object(base), Value::Object(change)) => {
            for (name, value) in change {
                overlay(base.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (base, change) => *base = change.clone(),
    }
}

fn read(name: &str) -> Map<String, Value> {
    let path = root().join("tests/vectors/openid-signing").join(name);
    toml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The vectors of the rules that need a key line and its past, by rule.
pub(crate) fn vectors() -> Map<String, Value> {
    read("rules.toml")
}

#[derive(Clone, Default)]
struct Vault {
    keys: Vec<VaultKey>,
    profiles: Vec<(Line, Profile)>,
    signed: BTreeMap<String, BTreeMap<(String, String), Facts>>,
}

impl Surroundings for Vault {
    fn keys(&self) -> Result<Arc<Vec<VaultKey>>, Fault> {
        Ok(Arc::new(self.keys.clone()))
    }

    fn profiles(&self) -> Result<Arc<Vec<(Line, Profile)>>, Fault> {
        Ok(Arc::new(self.profiles.clone()))
    }

    fn signed(&self, kind: &str) -> Result<Arc<Vec<(Line, Facts)>>, Fault> {
        let all = self.signed.get(kind).into_iter().flatten();
        Ok(Arc::new(all.map(|((line, _), facts)| (line.parse().unwrap(), facts.clone())).collect()))
    }
}

/// A world as it is told.
struct World {
    told: Value,
    now: Instant,
    folder: tempfile::TempDir,
}

impl World {
    fn new(told: Value) -> Self {
        let now = Instant::parse(told["now"].as_str().unwrap()).unwrap();
        let world = Self { told, now, folder: tempfile::tempdir().unwrap() };
        for (name, file) in world.told["files"].as_object().into_iter().flatten() {
            fs::write(world.folder.path().join(name), world.jwt(file)).unwrap();
        }
        let mut input = filled(world.told["input"].clone(), now).unwrap();
        for entry in input.get_mut("keys").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(jwk) = entry.get_mut("jwk") {
                *jwk = jwk.to_string().into();
            }
        }
        fs::write(world.folder.path().join("input.json"), input.to_string()).unwrap();
        world
    }

    fn jwt(&self, file: &Value) -> String {
        let signer = key(file["key"].as_str().unwrap());
        let own = signer.public().unwrap();
        let kid = file["kid"].as_str().map_or(thumbprint(&own), |name| thumbprint(&public(name)));
        let claims = filled(file["claims"].clone(), self.now).unwrap().to_string();
        let scheme = own.jose_scheme("ES384").unwrap();
        let draft = Draft::new(scheme, file["typ"].as_str().unwrap(), &kid, claims.as_bytes());
        draft.finish(&signer.sign(scheme, draft.octets(), &mut random::system()).unwrap())
    }

    fn line(&self) -> Line {
        self.told["line"].as_str().unwrap().parse().unwrap()
    }

    fn vault(&self, signed: &Vault) -> Vault {
        let mut vault = signed.clone();
        for told in self.told["vault"].as_array().into_iter().flatten() {
            let line: Line = told["line"].as_str().unwrap().parse().unwrap();
            let time = |name: &str| told[name].as_str().map(|text| Instant::parse(text).unwrap());
            let listing = match told["standing"].as_str() {
                Some("listed") => Listing::Listed,
                Some("unpublished") => Listing::Unpublished,
                other => Listing::Past((other == Some("past")).then(|| time("ended")).unwrap()),
            };
            vault.keys.push(VaultKey {
                id: line.version(u32::try_from(told["number"].as_u64().unwrap()).unwrap()),
                public: public(told["key"].as_str().unwrap()),
                created: Instant::parse("2026-01-01T00:00:00Z").unwrap(),
                wanted: Some(vec![]),
                listing,
            });
        }
        for (line, entity) in self.told["lines"].as_object().into_iter().flatten() {
            let mut profile =
                Profile::built_in(&["entity-configuration"], line.parse::<Line>().unwrap().environment());
            entity.as_str().unwrap().clone_into(&mut profile.openid.entity_id);
            vault.profiles.push((line.parse().unwrap(), profile));
        }
        vault
    }

    /// Prepares the document of this kind.
    fn prepared<T>(
        &self,
        kind: &dyn Kind,
        signed: &Vault,
        record: Option<&mut dyn Write>,
        then: impl FnOnce(&dyn Prepared, &str) -> T,
    ) -> Result<T, Fault> {
        let line = self.line();
        let (id, public) = (line.version(1), public(self.told["key"].as_str().unwrap()));
        let mut profile = self.told["profile"].clone();
        profile["version"] = 1.into();
        profile["kinds"] = json!([kind.name()]);
        profile["policy_ref"] = "vectors".into();
        let profile = Profile::parse(&toml::to_string(&profile).unwrap())?;
        let document = kind.open(&self.folder.path().join("input.json"))?;
        let subject = kind.subject(&document)?;
        let (vault, place) = (self.vault(signed), (line.to_string(), subject.clone()));
        let last = signed.signed.get(kind.name()).and_then(|all| all.get(&place)).map(last);
        let terms = Terms {
            key: &id,
            public: &public,
            certificate: None,
            ends: self.told["ends"].as_str().map(|end| Instant::parse(end).unwrap()),
            profile: &profile,
            now: self.now,
            last: last.as_ref(),
            vault: &vault,
            released: None,
        };
        Ok(then(kind.prepare(&document, &terms, &mut random::system(), record)?.as_ref(), &subject))
    }

    /// Signs the document, whatever the rules found, and keeps its record.
    fn sign(&self, kind: &dyn Kind, signed: &mut Vault) -> String {
        let private = key(self.told["key"].as_str().unwrap());
        let mut record = Vec::new();
        let (text, subject) = self
            .prepared(kind, signed, Some(&mut record), |prepared, subject| {
                let signature: Signature = private
                    .sign(prepared.scheme(), &prepared.octets().concat(), &mut random::system())
                    .unwrap();
                let mut output = Vec::new();
                prepared.finish(&signature, &mut output).unwrap();
                (String::from_utf8(output).unwrap(), subject.to_owned())
            })
            .unwrap_or_else(|fault| panic!("{}: {fault}", kind.name()));
        let facts = Last::read(Document::from_bytes("record", record)).unwrap().facts().clone();
        signed
            .signed
            .entry(kind.name().into())
            .or_default()
            .insert((self.line().to_string(), subject), facts);
        text
    }
}

/// A record that says these things.
fn last(facts: &Facts) -> Last {
    let facts = serde_json::to_string(facts).unwrap();
    let record = format!("fedroot last signed v1 vector\nfacts {facts}\nend 0\n");
    Last::read(Document::from_bytes("record", record.into_bytes())).unwrap()
}

pub(crate) fn told(kind: &str, changes: &[&Value]) -> Value {
    let mut told = read("worlds.toml")[kind].clone();
    for change in changes {
        overlay(&mut told, change);
    }
    told
}

/// What was signed before the document of a vector: its configuration, where the world has one, and its own `before`.
fn past(name: &str, change: &Value) -> Vault {
    let mut signed = Vault::default();
    let whole = told(name, &[change]);
    if whole["configured"] == true {
        let own = json!({
            "now": "2026-10-30T00:00:00Z", "line": whole["line"], "profile": whole["profile"],
            "key": whole["key"], "vault": whole["vault"],
            "input": { "authority_hints": whole["profile"]["openid"]["authority_hints"] },
        });
        let mut own = told("entity-configuration", &[&own]);
        if own["input"]["authority_hints"].is_null() {
            own["input"].as_object_mut().unwrap().remove("authority_hints");
        }
        World::new(own).sign(kind("entity-configuration").unwrap(), &mut signed);
    }
    for before in change["before"].as_array().into_iter().flatten() {
        let mut base = change.clone();
        if let Some(all) = base.as_object_mut() {
            all.retain(|name, _| !matches!(name.as_str(), "before" | "files" | "input"));
        }
        let name = before["kind"].as_str().unwrap_or(name);
        let world = World::new(told(name, &[&base, before]));
        world.sign(kind(name).unwrap(), &mut signed);
    }
    signed
}

/// The rules that a vector breaks, or why nothing is prepared.
pub(crate) fn found(name: &str, change: &Value) -> Result<BTreeSet<&'static str>, Fault> {
    let (signed, world) = (past(name, change), World::new(told(name, &[change])));
    world.prepared(kind(name).unwrap(), &signed, None, |prepared, _| {
        prepared.examined().findings.iter().map(|finding| finding.rule.id).collect()
    })
}

/// The rules that a vector breaks.
pub(crate) fn broken(name: &str, change: &Value) -> BTreeSet<&'static str> {
    found(name, change).unwrap_or_else(|fault| panic!("{name}: {change}: {fault}"))
}

/// What a vector is signed as, whatever its rules found.
pub(crate) fn signed(name: &str, change: &Value) -> Statement {
    let text = World::new(told(name, &[change])).sign(kind(name).unwrap(), &mut past(name, change));
    Statement::read(&text).unwrap()
}

#[test]
fn every_rule_about_signing_has_a_vector_that_triggers_it_and_one_that_does_not() {
    let (vectors, mut faults) = (vectors(), Vec::new());
    for (id, vector) in &vectors {
        if !RULES.iter().any(|rule| rule.id == id) {
            faults.push(format!("{id}: there is no such rule"));
        }
        let name = vector["kind"].as_str().unwrap();
        let (bad, good) = (broken(name, &vector["bad"]), broken(name, &vector["good"]));
        if !bad.contains(id.as_str()) {
            faults.push(format!("{id}: the bad vector triggers {bad:?}"));
        }
        if good.contains(id.as_str()) {
            faults.push(format!("{id}: the good vector triggers {good:?}"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_good_document_of_each_kind_is_signed_and_verified() {
    for (name, world) in read("worlds.toml") {
        let signed = past(&name, &json!({}));
        let kind = kind(&name).unwrap();
        let world = World::new(world);
        let blocked = world.prepared(kind, &signed, None, |prepared, _| {
            let findings = prepared.examined().findings.iter();
            findings
                .filter(|finding| finding.severity == Severity::Block)
                .map(|finding| finding.rule.id)
                .collect::<Vec<_>>()
        });
        assert_eq!(blocked.unwrap(), [""; 0], "{name}");
        let text = world.sign(kind, &mut signed.clone());
        let document = Document::from_bytes("signed", text.clone().into_bytes());
        let own = public(world.told["key"].as_str().unwrap());
        let verified = kind.verify(&document, std::slice::from_ref(&own)).unwrap();
        verified.check_valid(world.now).unwrap();
        assert_eq!(verified.key, own);
        let stranger = kind.verify(&document, &[public("k9")]).unwrap_err();
        assert_eq!(stranger.code().name, "verify.untrusted", "{name}");
        for (other, _) in read("worlds.toml").iter().filter(|(other, _)| **other != name) {
            let fault = fedroot::artefact::kind(other)
                .unwrap()
                .verify(&document, std::slice::from_ref(&own))
                .unwrap_err();
            assert_eq!(fault.code().name, "verify.altered", "a {name} taken for a {other}: {fault}");
        }
    }
}

#[test]
fn each_of_the_43_checks_has_an_id() {
    let page = fs::read_to_string(root().join("docs/formats/openid.md")).unwrap();
    let (_, table) = page.split_once("| no. |").unwrap();
    let rows: Vec<Vec<&str>> =
        table.lines().skip(2).map(|row| row.split('|').map(str::trim).collect()).collect();
    let numbers: Vec<usize> = rows.iter().map(|row| row[1].parse().unwrap()).collect();
    assert_eq!(numbers, (1..=43).collect::<Vec<_>>());
    let manual =
        fs::read_to_string(root().join("man/fedroot.1")).unwrap().replace("\\-", "-").replace("\\&", "");
    for row in rows {
        let ids: Vec<&str> = row[3].split(", ").map(|id| id.trim_matches('`')).collect();
        for id in &ids {
            let is_code = manual.lines().any(|line| line.trim().trim_start_matches("\\fB").starts_with(id));
            assert!(
                RULES.iter().any(|rule| rule.id == *id) || is_code,
                "check {}: there is no '{id}'",
                row[1]
            );
        }
    }
    for rule in RULES.iter().filter(|rule| rule.kind == "openid") {
        let is_told = table.contains(&format!("`{}`", rule.id));
        let is_advice = rule.id.starts_with("openid.chain.")
            || ["openid.configuration.none", "openid.jwks.use", "openid.jwks.unsupported"].contains(&rule.id);
        assert!(is_told != is_advice, "{} belongs to no check", rule.id);
    }
}

/// Histories of a line's keys, one after the other: what was told once stays, whatever becomes of the keys.
#[test]
fn the_list_of_historical_keys_only_grows() {
    let kind = kind("historical-keys").unwrap();
    let key = |number: usize, standing: &str, more: &str| -> Value {
        let told = format!(
            r#"{{"line":"example.org/prod/anchor","number":{number},"key":"k{number}","standing":"{standing}"{more}}}"#
        );
        serde_json::from_str(&told).unwrap()
    };
    let ended = |day: usize| format!(r#","ended":"2026-10-0{day}T00:00:00Z""#);
    let mut signed = Vault::default();
    let mut before: Vec<Value> = Vec::new();
    for active in 1..=4 {
        let keys: Vec<Value> = (1..active)
            .map(|number| key(number, "past", &ended(number)))
            .chain([key(active, "listed", ""), key(active + 1, "unpublished", "")])
            .collect();
        let revoked = json!([{ "number": 1, "revoked_at": "2026-09-30T00:00:00Z", "reason": "compromised" }]);
        let world = World::new(told(
            "historical-keys",
            &[&json!({
                "now": format!("2026-11-0{active}T00:00:00Z"), "key": format!("k{active}"), "vault": keys,
                "input": { "keys": if active == 4 { revoked } else { json!([]) } },
            })],
        ));
        let text = world.sign(kind, &mut signed);
        let statement = Statement::read(&text).unwrap();
        let now = statement.get("keys").unwrap().as_array().unwrap().clone();
        assert_eq!(now.len(), active - 1, "every key that went is there, and no other");
        for (old, new) in before.iter().zip(&now) {
            let mut new = new.clone();
            if active == 4 && old["kid"] == thumbprint(&public("k1")) {
                let revoked = new.as_object_mut().unwrap().remove("revoked").unwrap();
                assert_eq!(revoked, json!({ "revoked_at": 1_790_726_400, "reason": "compromised" }));
            }
            assert_eq!(*old, new, "an entry may only gain `revoked`");
        }
        assert_eq!(statement.check(world.now), []);
        before = now;
    }
}

#[test]
fn changed_input_never_panics() {
    for (name, world) in read("worlds.toml") {
        let (kind, world) = (kind(&name).unwrap(), World::new(world));
        let path = world.folder.path().join("input.json");
        let whole = fs::read(&path).unwrap();
        for at in (0..whole.len()).step_by(whole.len() / 24 + 1) {
            for changed in [whole[..at].to_vec(), [&whole[..at], b"\"", &whole[at + 1..]].concat(), {
                let mut bytes = whole.clone();
                bytes[at] ^= 0x15;
                bytes
            }] {
                fs::write(&path, changed).unwrap();
                drop(world.prepared(kind, &Vault::default(), None, |prepared, _| prepared.octets().len()));
            }
        }
    }
}

/// Documents that another program signed, where the corpus is.
#[test]
fn what_others_signed_is_verified() {
    let Some(corpus) = corpus("what_others_signed_is_verified") else { return };
    let made = corpus.join("jose/made");
    let keys = |name: &str| {
        let pem = fs::read_to_string(made.join("keys").join(format!("{name}.pub.pem"))).unwrap();
        PublicKey::from_pem(&pem).unwrap()
    };
    for (file, name, signer) in [
        ("ta-ec", "entity-configuration", "ta-p384"),
        ("ta-ec-RS256", "entity-configuration", "ta-rsa4096"),
        ("ta-ec-PS384", "entity-configuration", "ta-rsa4096"),
        ("int-ec", "entity-configuration", "int-p384"),
        ("ta-ss-int", "subordinate-statement", "ta-p384"),
        ("int-ss-op", "subordinate-statement", "int-p384"),
        ("trust-mark-delegation", "trust-mark-delegation", "tmo-p384"),
        ("historical-keys", "historical-keys", "ta-p384"),
    ] {
        let text = fs::read(made.join(format!("valid/{file}.jwt"))).unwrap();
        let document = Document::from_bytes(file, text);
        let verified = kind(name).unwrap().verify(&document, &[keys("tmo-p384"), keys(signer)]);
        let verified = verified.unwrap_or_else(|fault| panic!("{file}: {fault}"));
        assert_eq!(verified.key, keys(signer));
        verified.check_valid(Instant::parse("2026-11-22T12:00:00Z").unwrap()).unwrap();
        assert!(verified.check_valid(Instant::parse("2025-12-01T00:00:00Z").unwrap()).is_err(), "{file}");
    }
}
