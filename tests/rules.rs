//! Every rule has a vector that triggers it and one that does not; the record of what was signed last tells what changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use fedroot::artefact::{Draft, Member, Prepared, Terms, kind};
use fedroot::base::bytes::Digest;
use fedroot::base::clock::Instant;
use fedroot::base::disk::{Document, Pending};
use fedroot::base::fault::Fault;
use fedroot::base::random;
use fedroot::key::{KeyId, Line, PrivateKey, private_key};
use fedroot::policy::{Examined, Last, Profile, RULES};

use crate::support::{corpus, root};

pub(crate) const NOW: &str = "2026-11-22T12:00:00Z";
pub(crate) const PROFILE: &str =
    "version = 1\nkinds = [\"saml\"]\npolicy_ref = \"vectors\"\n[saml]\ndates = \"keep\"\n";

thread_local! {
    static RSA: Box<dyn PrivateKey> = read_key("rsa4096");
}

pub(crate) fn read_key(name: &str) -> Box<dyn PrivateKey> {
    let pem = fs::read_to_string(root().join("tests/keys").join(format!("{name}.pem"))).unwrap();
    let (_, der) = der::SecretDocument::from_pem(&pem).unwrap();
    private_key(der.as_bytes()).unwrap()
}

pub(crate) fn with_prepared<T>(
    text: &str,
    (key, profile, last): (&dyn PrivateKey, &str, Option<&Last>),
    record: Option<&mut dyn std::io::Write>,
    then: impl FnOnce(&dyn Prepared) -> T,
) -> T {
    prepared_from(
        &Document::from_bytes("vector", text.as_bytes().to_vec()),
        (key, profile, last),
        record,
        then,
    )
}

fn prepared_from<T>(
    document: &Document,
    (key, profile, last): (&dyn PrivateKey, &str, Option<&Last>),
    record: Option<&mut dyn std::io::Write>,
    then: impl FnOnce(&dyn Prepared) -> T,
) -> T {
    with_terms((key, profile, last), |terms| {
        let prepared = kind("saml").unwrap().prepare(document, terms, &mut random::system(), record).unwrap();
        then(prepared.as_ref())
    })
}

fn with_terms<T>(
    (key, profile, last): (&dyn PrivateKey, &str, Option<&Last>),
    then: impl FnOnce(&Terms<'_>) -> T,
) -> T {
    let line: Line = "example.org/prod/metadata".parse().unwrap();
    let key_id: KeyId = line.version(1);
    let (public, profile) = (key.public().unwrap(), Profile::parse(profile).unwrap());
    let now = Instant::parse(NOW).unwrap();
    then(&Terms {
        key: &key_id,
        public: &public,
        certificate: None,
        ends: None,
        profile: &profile,
        now,
        last,
        vault: &crate::kinds::Vault,
        released: None,
    })
}

pub(crate) fn last(record: &[u8]) -> Result<Last, Fault> {
    Last::read(Document::from_bytes("record", record.to_vec()))
}

/// Signs, and reads the record that is left for the next time.
pub(crate) fn signed(text: &str, key: &dyn PrivateKey, profile: &str) -> Last {
    let mut record = Vec::new();
    with_prepared(text, (key, profile, None), Some(&mut record), |prepared| {
        let signature =
            key.sign(prepared.scheme(), &prepared.octets().concat(), &mut random::system()).unwrap();
        prepared.finish(&signature, &mut Vec::new()).unwrap();
    });
    last(&record).unwrap()
}

pub(crate) fn examined(text: &str, key: &dyn PrivateKey, profile: &str, last: Option<&Last>) -> Examined {
    with_prepared(text, (key, profile, last), None, |prepared| prepared.examined().clone())
}

/// The same, for a document of which each entity is signed on its own.
pub(crate) fn examined_split(text: &str, key: &dyn PrivateKey, profile: &str) -> Examined {
    let folder = tempfile::tempdir().unwrap();
    let document = Document::from_bytes("vector", text.as_bytes().to_vec());
    with_terms((key, profile, None), |terms| {
        let spare = Pending::beside(&folder.path().join("spare")).unwrap();
        let batch = kind("saml").unwrap().split(&document, terms, spare, &mut Vec::new(), None).unwrap();
        batch.examined().clone()
    })
}

fn read(folder: &Path, name: &str) -> Option<String> {
    fs::read_to_string(folder.join(name)).ok()
}

pub(crate) fn rules_of(examined: &Examined) -> BTreeSet<&'static str> {
    examined.findings.iter().map(|finding| finding.rule.id).collect()
}

fn examine_vector(folder: &Path, name: &str) -> Option<BTreeSet<&'static str>> {
    let text = read(folder, &format!("{name}.xml"))?;
    let profile = read(folder, &format!("{name}.toml")).or_else(|| read(folder, "profile.toml"));
    let profile = profile.unwrap_or_else(|| PROFILE.to_owned());
    let signer = read(folder, &format!("{name}.key")).unwrap_or_else(|| "rsa4096".into());
    let judge = |signer: &dyn PrivateKey| {
        if folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("saml.split.")) {
            return rules_of(&examined_split(&text, signer, &profile));
        }
        let last = read(folder, "last.xml").map(|last| signed(&last, signer, &profile));
        rules_of(&examined(&text, signer, &profile, last.as_ref()))
    };
    // Reading an RSA key checks its primes, which takes a while: once is enough.
    Some(match signer.trim() {
        "rsa4096" => RSA.with(|signer| judge(signer.as_ref())),
        other => judge(read_key(other).as_ref()),
    })
}

#[test]
fn every_rule_has_a_vector_that_triggers_it_and_one_that_does_not() {
    let vectors = root().join("tests/vectors/saml-rules");
    let mut faults = Vec::new();
    for rule in RULES.iter().filter(|rule| rule.kind == "saml") {
        let folder = vectors.join(rule.id);
        match examine_vector(&folder, "bad") {
            None => faults.push(format!("{}: there is no bad.xml", rule.id)),
            Some(found) if !found.contains(rule.id) => {
                faults.push(format!("{}: bad.xml does not trigger it, but {found:?}", rule.id));
            }
            Some(_) => {}
        }
        match examine_vector(&folder, "good") {
            None => faults.push(format!("{}: there is no good.xml", rule.id)),
            Some(found) if found.contains(rule.id) => {
                faults.push(format!("{}: good.xml triggers it", rule.id));
            }
            Some(_) => {}
        }
    }
    for entry in fs::read_dir(&vectors).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name != "ORIGIN" && !RULES.iter().any(|rule| rule.id == name) {
            faults.push(format!("{name}: there is no such rule"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn an_aggregate_in_which_everything_is_right_has_no_findings() {
    let good = root().join("tests/vectors/saml-rules/saml.entities.none");
    assert_eq!(examine_vector(&good, "good").unwrap(), BTreeSet::new());
}

pub(crate) const AGGREGATE: &str = "<EntitiesDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata' ID='_a' validUntil='2026-12-01T00:00:00Z'>@</EntitiesDescriptor>";

pub(crate) fn entity(id: &str, inner: &str) -> String {
    format!("<EntityDescriptor entityID='{id}'>{inner}</EntityDescriptor>")
}

pub(crate) fn service(location: &str, more: &str) -> String {
    format!(
        "<SPSSODescriptor protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol'><AssertionConsumerService Binding='urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST' index='1' Location='{location}'/>{more}</SPSSODescriptor>"
    )
}

#[test]
fn what_changed_is_named_by_entity_and_part_and_ranked_by_risk() {
    let signer = read_key("p384");
    let many = |entities: &[String]| AGGREGATE.replace('@', &entities.concat());
    let stays = entity("https://stays.example/", &service("https://stays.example/acs", ""));
    let before = many(&[
        stays.clone(),
        entity("https://goes.example/", ""),
        entity("https://moves.example/", &service("https://moves.example/acs", "")),
        entity("https://says.example/", &service("https://says.example/acs", "")),
        entity("https://reads.example/", &service("https://reads.example/acs", "")),
        entity("https://wants.example/", &service("https://wants.example/acs", "")),
    ]);
    let other = "<Extensions><y xmlns='urn:x'/></Extensions>";
    let text = "<AttributeConsumingService index='1'><ServiceName xml:lang='en'>x</ServiceName></AttributeConsumingService>";
    let after = many(&[
        entity("https://comes.example/", ""),
        entity("https://says.example/", &service("https://says.example/acs", other)),
        entity("https://reads.example/", &service("https://reads.example/acs", text)),
        entity(
            "https://wants.example/",
            &service("https://wants.example/acs", "<NameIDFormat>x</NameIDFormat>"),
        ),
        entity("https://moves.example/", &service("https://moves.example/elsewhere", "")),
        stays,
    ]);
    let last = signed(&before, signer.as_ref(), PROFILE);
    let same = examined(&before, signer.as_ref(), PROFILE, Some(&last)).difference.unwrap();
    assert!(same.is_none(), "{same:?}");
    let difference = examined(&after, signer.as_ref(), PROFILE, Some(&last)).difference.unwrap();
    let told: Vec<String> = difference
        .entities
        .iter()
        .map(|change| format!("{} {} {}", change.what, change.entity, change.parts.join(",")))
        .collect();
    assert_eq!(
        told,
        [
            "changed https://moves.example/ endpoints",
            "changed https://wants.example/ roles",
            "removed https://goes.example/ ",
            "added https://comes.example/ ",
            "changed https://reads.example/ texts",
            "changed https://says.example/ other",
        ]
    );
    assert_eq!((difference.before, difference.added, difference.removed, difference.changed), (6, 1, 1, 4));
}

#[test]
fn a_damaged_record_is_refused() {
    let signer = read_key("p384");
    let text = AGGREGATE.replace('@', &entity("https://a.example/", ""));
    let mut record = Vec::new();
    with_prepared(&text, (signer.as_ref(), PROFILE, None), Some(&mut record), |_| ());
    let record = String::from_utf8(record).unwrap();
    assert!(last(record.as_bytes()).is_ok());
    for cut in 0..record.len() {
        assert!(last(&record.as_bytes()[..cut]).is_err(), "cut at {cut}");
    }
    for (from, to) in
        [("v4", "v5"), ("end 1", "end 2"), ("entity", "entities"), ("end 1\n", "end 1\nend 1\n")]
    {
        assert!(last(record.replacen(from, to, 1).as_bytes()).is_err(), "{from}");
    }
}

/// Names that pass for another one, in one document with it: each is flagged, and none is taken for the same.
#[test]
fn names_that_pass_for_another_are_flagged() {
    let Some(corpus) = corpus("names_that_pass_for_another_are_flagged (its 30 pairs)") else { return };
    let pairs = fs::read_to_string(corpus.join("bad/unicode/entityid_pairs.json")).unwrap();
    let pairs: Vec<serde_json::Value> = serde_json::from_str(&pairs).unwrap();
    let signer = read_key("p384");
    let mut missed = Vec::new();
    for pair in &pairs {
        let text = |name: &str| pair[name].as_str().unwrap().replace('&', "&amp;").replace('\'', "&apos;");
        let document = AGGREGATE
            .replace('@', &[entity(&text("reference"), ""), entity(&text("candidate"), "")].concat());
        let found = rules_of(&examined(&document, signer.as_ref(), PROFILE, None));
        assert!(!found.contains("saml.entity-id.duplicate"), "{pair}");
        let flagged =
            found.iter().any(|id| id.starts_with("saml.entity-id.") || *id == "saml.text.invisible");
        // A URN beside a URL looks like nothing else.
        if !flagged && pair["name"] != "urn" {
            missed.push(pair["name"].clone());
        }
    }
    assert!(pairs.len() > 20 && missed.is_empty(), "{missed:?}");
}

#[test]
fn a_document_that_changes_after_its_review_is_not_signed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.xml");
    let signer = read_key("p384");
    let text = format!("<!--a-->{}<!--b-->", AGGREGATE.replace('@', &entity("https://a.example/", "")));
    let finished = |changed: &str| {
        fs::write(&path, &text).unwrap();
        let document = Document::open(&path).unwrap();
        prepared_from(&document, (signer.as_ref(), PROFILE, None), None, |prepared| {
            let signature =
                signer.sign(prepared.scheme(), &prepared.octets().concat(), &mut random::system()).unwrap();
            fs::write(&path, changed).unwrap();
            prepared.finish(&signature, &mut std::io::sink()).map_err(|fault| fault.code().name)
        })
    };
    assert_eq!(finished(&text), Ok(()));
    // what no signature covers counts as well: comments, quotes, white space in tags, more at the end
    for (from, to) in [
        ("<!--a-->", "<!--A-->"),
        ("<!--b-->", "<!--B-->"),
        ("<!--b-->", "<!--b--> "),
        ("<!--b-->", ""),
        ("https://a.example/", "https://b.example/"),
        ("entityID=", "entityID = "),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert_eq!(finished(&changed), Err("file.changed"), "{from} {to}");
    }
}

#[test]
fn an_aggregate_that_changes_after_its_review_is_signed_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.xml");
    let signer = read_key("p384");
    let before = AGGREGATE
        .replace('@', &[entity("https://a.example/", ""), entity("https://b.example/", "")].concat());
    fs::write(&path, &before).unwrap();
    let document = Document::open(&path).unwrap();
    with_terms((signer.as_ref(), PROFILE, None), |terms| {
        let seen = Mutex::new(Vec::new());
        let look = |at: usize, member: &Member, draft: &dyn Draft| {
            seen.lock().unwrap().push((at, member.id.clone(), draft.octets()?));
            Ok(())
        };
        let spare = Pending::beside(&folder.path().join("spare")).unwrap();
        let saml = kind("saml").unwrap();
        let batch = saml.split(&document, terms, spare, &mut Vec::new(), Some(&look)).unwrap();
        fs::write(&path, before.replace("b.example", "evil.example")).unwrap();
        let mut seen = seen.into_inner().unwrap();
        seen.sort();
        assert_eq!(seen.len(), 2);
        for (at, id, octets) in seen {
            let draft = batch.draft(at).unwrap();
            assert_eq!(draft.octets().unwrap(), octets);
            let signature = signer.sign(batch.scheme(), &octets, &mut random::system()).unwrap();
            let finished = Document::from_bytes("signed", draft.finish(&signature).unwrap());
            let verified = saml.verify(&finished, &[signer.public().unwrap()]).unwrap();
            assert_eq!(verified.facts.value("entityID"), Some(&*id));
            let other = signer.sign(batch.scheme(), b"other octets", &mut random::system()).unwrap();
            let wrong = Document::from_bytes("wrong", draft.finish(&other).unwrap());
            assert!(saml.verify(&wrong, &[signer.public().unwrap()]).is_err(), "custody verifies signatures");
        }
    });
}

#[test]
fn the_root_that_was_reviewed_is_the_root_that_is_signed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.xml");
    let signer = read_key("p384");
    let before = entity("https://a.example/", "<x:Extensions xmlns:y='urn:y'/>").replacen(
        " entityID",
        " xmlns='urn:oasis:names:tc:SAML:2.0:metadata' xmlns:x='urn:x' entityID",
        1,
    );
    fs::write(&path, &before).unwrap();
    // Whoever can write to the document changes what the prefix stands for, as soon as the tag has been read.
    let (after, to) = (before.replace("urn:x", "urn:z"), path.clone());
    let is_first = std::sync::atomic::AtomicBool::new(true);
    let document = Document::open(&path).unwrap().watched(move |count| {
        if count > 2 && is_first.swap(false, std::sync::atomic::Ordering::Relaxed) {
            fs::write(&to, &after).unwrap();
        }
    });
    with_terms((signer.as_ref(), PROFILE, None), |terms| {
        let spare = Pending::beside(&folder.path().join("spare")).unwrap();
        let saml = kind("saml").unwrap();
        let look = |_: usize, _: &Member, draft: &dyn Draft| draft.octets().map(drop);
        let batch = saml.split(&document, terms, spare, &mut Vec::new(), Some(&look)).unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains("urn:z"), "it was changed in time");
        let draft = batch.draft(0).unwrap();
        let signature = signer.sign(batch.scheme(), &draft.octets().unwrap(), &mut random::system()).unwrap();
        let finished = String::from_utf8(draft.finish(&signature).unwrap()).unwrap();
        assert!(finished.contains("urn:x") && !finished.contains("urn:z"), "{finished}");
        assert_eq!(batch.document(), Digest::of(before.as_bytes()));
    });
}

#[test]
fn a_kept_cache_duration_has_the_limits_of_validity_in_a_batch() {
    let signer = read_key("p384");
    let folder = tempfile::tempdir().unwrap();
    let split = |group: &str| {
        let text = AGGREGATE.replace(
            '@',
            &format!("<EntitiesDescriptor{group}>{}</EntitiesDescriptor>", entity("https://a.example/", "")),
        );
        let document = Document::from_bytes("in", text.into_bytes());
        let spare = Pending::beside(&folder.path().join("spare")).unwrap();
        let look = |_: usize, _: &Member, draft: &dyn Draft| draft.octets().map(drop);
        with_terms((signer.as_ref(), PROFILE, None), |terms| {
            let split = kind("saml").unwrap().split(&document, terms, spare, &mut Vec::new(), Some(&look));
            split.map(drop).map_err(|fault| fault.to_string())
        })
    };
    assert_eq!(split(" cacheDuration='P28D'"), Ok(()));
    for beyond in ["P28DT1S", "P1000Y", "-P1D", "PT0S", "soon", ""] {
        let fault = split(&format!(" cacheDuration='{beyond}'")).unwrap_err();
        assert!(fault.contains("https://a.example/ would be cached for"), "{beyond}: {fault}");
    }
}
