//! Batches: only what was approved is signed, each once; an interrupted batch goes on where it ended; what stands is looked
//! at and never trusted; strangers verify every file.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;

use fedroot::base::bytes::{Digest, digest_of_list, list_of};
use fedroot::base::clock::SystemClock;
use fedroot::base::disk::{self, Document};
use fedroot::base::fault::{Fault, INTERNAL};
use fedroot::base::recipient::Identities;
use fedroot::base::secret::Secret;
use fedroot::base::staging::Staging;
use fedroot::custody::{Operator, Outstanding, Piece, Pieces, Prompt, SignedBatch, Vault};
use fedroot::key::{Hash, KeyId, Line, Signature};
use fedroot::ledger::{self, Body, EntryKind};
use fedroot::policy::{BatchApproval, Confirmation, Covers, Examined, Facts, Memory, Review, Subject};
use serde_json::Value;

use crate::support::{FEDROOT, Folder, LINE, corpus, files, identities, peers};

const MD: &str = "urn:oasis:names:tc:SAML:2.0:metadata";

/// `sign --split` of a document into `out`.
pub(crate) fn split<'a>(document: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments =
        vec!["sign", "saml", document, "--key", LINE, "--split", "out", "--vault", "V", "--json"];
    arguments.extend(["--identity", "auditor.key"]);
    arguments.extend(more);
    arguments
}

/// Splits, and yields what it says.
pub(crate) fn splits(folder: &Folder, document: &str, more: &[&str]) -> Value {
    let ran = folder.fedroot(&split(document, more));
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// How many documents have this status.
pub(crate) fn count(said: &Value, status: &str) -> usize {
    said["documents"].as_array().unwrap().iter().filter(|document| document["status"] == status).count()
}

fn aggregate(ids: impl Iterator<Item = String>) -> String {
    let entity = |id: String| {
        format!(
            "<md:EntityDescriptor entityID=\"{id}\"><md:SPSSODescriptor \
             protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\
             <md:AssertionConsumerService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" \
             Location=\"https://sp.example/acs\" index=\"1\"/></md:SPSSODescriptor></md:EntityDescriptor>\n"
        )
    };
    let entities: String = ids.map(entity).collect();
    format!("<md:EntitiesDescriptor xmlns:md=\"{MD}\">\n{entities}</md:EntitiesDescriptor>\n")
}

pub(crate) fn numbered(count: usize) -> String {
    aggregate((0..count).map(|n| format!("https://sp{n}.example/sp")))
}

/// xmlsec1 in its safe form, and xmllint.
pub(crate) fn strangers_accept(folder: &Folder, file: &str, key: &str) -> bool {
    let verified = folder
        .command("xmlsec1")
        .args(["--verify", "--enabled-key-data", "raw-x509-cert", "--enabled-reference-uris", "same-doc"])
        .args(["--id-attr:ID", &format!("{MD}:EntityDescriptor"), "--pubkey-pem", key, file])
        .output()
        .unwrap();
    let read = folder.command("xmllint").args(["--noout", "--nonet", file]).output().unwrap();
    verified.status.success() && read.status.success()
}

/// The bodies of the ledger's entries of this kind.
fn bodies(folder: &Folder, kind: EntryKind) -> Vec<Value> {
    let identities = identities(folder);
    let log = Document::open(&folder.path("V/ledger/ledger.jsonl")).unwrap();
    let of_kind = ledger::read(log.reader(), &identities).map(Result::unwrap).filter(|it| it.kind == kind);
    of_kind.map(|entry| if let Body::Open(body) = entry.body { body } else { Value::Null }).collect()
}

struct Answers(Folder);

impl Prompt for &Answers {
    fn passphrase(&mut self, _: &KeyId) -> Result<Secret<String>, Fault> {
        Err(INTERNAL.fault("there is no passphrase"))
    }

    fn new_passphrase(&mut self, key: &KeyId) -> Result<Secret<String>, Fault> {
        self.passphrase(key)
    }

    fn identities(&mut self, _: &KeyId) -> Result<Identities, Fault> {
        Ok(identities(&self.0))
    }
}

/// Plain octets as a batch: what is delivered is kept, until one place fails.
struct Plain {
    octets: Vec<Vec<u8>>,
    fails_at: Option<usize>,
    delivered: Mutex<Vec<(usize, Signature)>>,
}

struct One<'a>(&'a Plain, usize);

impl Pieces for Plain {
    fn channel(&self) -> String {
        "saml-anchor".into()
    }

    fn outstanding(&self) -> Result<Outstanding, Fault> {
        Ok((vec![], [].into()))
    }

    fn name(&self) -> String {
        "a test".into()
    }

    fn piece(&self, place: usize) -> Result<Box<dyn Piece + '_>, Fault> {
        Ok(Box::new(One(self, place)))
    }

    fn settle(&self) -> Result<(), Fault> {
        Ok(())
    }
}

impl Piece for One<'_> {
    fn octets(&self) -> &[u8] {
        &self.0.octets[self.1]
    }

    fn deliver(self: Box<Self>, signature: &Signature) -> Result<Digest, Fault> {
        if self.0.fails_at == Some(self.1) {
            return Err(disk::FULL.fault("no space left"));
        }
        self.0.delivered.lock().unwrap().push((self.1, signature.clone()));
        Ok(Digest::of(signature.as_bytes()))
    }
}

fn digests(octets: &[Vec<u8>]) -> Vec<Digest> {
    octets.iter().map(|octets| Digest::of(octets)).collect()
}

fn approve(vault: &Vault<'_>, reviewed: &[Digest], given: Vec<Digest>) -> Result<BatchApproval, Fault> {
    let line: Line = LINE.parse().unwrap();
    let record = vault.signing_record(&line).unwrap();
    let public = record.public().unwrap();
    let review = Review::of(Subject {
        kind: "saml",
        key: record.key().unwrap(),
        public: &public,
        profile_text: &vault.profile_text(&line).unwrap(),
        facts: Facts::default(),
        items: None,
        document: Digest::of(b"input"),
        covers: Covers::Batch { documents: reviewed.len() as u64, list: digest_of_list(reviewed) },
        examined: Examined::default(),
        released: None,
        memory: Memory::Whole,
    })?;
    review.approve_batch(given, public.algorithm().scheme(Hash::Sha256), &Confirmation::None, None)
}

fn vault(answers: &Answers) -> Vault<'static> {
    let operator = Operator { user: "test".into(), uid: 0, host: "test".into() };
    Vault::open(&answers.0.path("V"), operator, &SystemClock).unwrap()
}

fn octets(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|n| format!("octets {n}").into_bytes()).collect()
}

fn sign(answers: &Answers, plain: &Plain, list: Vec<Digest>) -> Result<SignedBatch, Fault> {
    let mut vault = vault(answers);
    let approval = approve(&vault, &list.clone(), list).unwrap();
    let mut prompt = answers;
    vault.sign_batch(approval, &mut prompt, plain).map(|(signed, _)| signed)
}

#[test]
fn a_batch_is_one_intent_and_one_outcome_and_each_place_is_signed_once() {
    let answers = Answers(Folder::with_one_line());
    let plain = Plain { octets: octets(57), fails_at: None, delivered: Mutex::default() };
    let list = digests(&plain.octets);
    let before = bodies(&answers.0, EntryKind::Intent).len();
    let signed = sign(&answers, &plain, list.clone()).unwrap();
    let mut delivered = plain.delivered.into_inner().unwrap();
    delivered.sort_by_key(|(place, _)| *place);
    assert_eq!(delivered.iter().map(|(place, _)| *place).collect::<Vec<_>>(), (0..57).collect::<Vec<_>>());
    let own: Vec<Digest> = delivered.iter().map(|(_, signature)| Digest::of(signature.as_bytes())).collect();
    assert_eq!(signed.artefacts, own);
    let intents = bodies(&answers.0, EntryKind::Intent);
    assert_eq!(intents.len(), before + 1);
    let (intent, outcomes) = (intents.last().unwrap(), bodies(&answers.0, EntryKind::Outcome));
    assert_eq!(intent["octets"], Digest::of(list_of(&list).as_bytes()).to_string());
    assert_eq!((&intent["count"], &outcomes.last().unwrap()["count"]), (&57.into(), &57.into()));
    let kept = format!("V/ledger/batches/{}.list", &intent["octets"].as_str().unwrap()["sha256:".len()..]);
    assert_eq!(answers.0.read(&kept), list_of(&list).as_bytes());
    let root = fedroot::base::bytes::base64(&ledger::root_of(&list));
    let log = String::from_utf8(answers.0.read("V/ledger/ledger.jsonl")).unwrap();
    assert_eq!(log.matches(&format!(",\"root\":\"{root}\"")).count(), 1, "the root is public");
    let root = fedroot::base::bytes::base64(&ledger::root_of(&own));
    assert_eq!(outcomes.last().unwrap()["root"], root);
    answers.0.good(&["ledger", "verify", "--vault", "V"]);
}

#[test]
fn what_was_not_approved_is_not_signed() {
    let answers = Answers(Folder::with_one_line());
    let list = digests(&octets(9));
    let refused = approve(&vault(&answers), &list, digests(&octets(8))).err().unwrap();
    assert_eq!(refused.code(), &INTERNAL, "another list than the reviewed one");
    let mut plain = Plain { octets: octets(9), fails_at: None, delivered: Mutex::default() };
    plain.octets[4] = b"something else".to_vec();
    let fault = sign(&answers, &plain, list).err().unwrap();
    assert_eq!(fault.code(), &disk::CHANGED, "{fault}");
    assert!(plain.delivered.into_inner().unwrap().iter().all(|(place, _)| *place != 4));
}

#[test]
fn a_batch_that_breaks_off_says_how_far_it_came() {
    let answers = Answers(Folder::with_one_line());
    let plain = Plain { octets: octets(40), fails_at: Some(20), delivered: Mutex::default() };
    let fault = sign(&answers, &plain, digests(&plain.octets)).err().unwrap();
    assert_eq!(fault.code(), &disk::FULL, "{fault}");
    let delivered = plain.delivered.into_inner().unwrap().len();
    assert!((1..40).contains(&delivered));
    assert!(fault.message().contains(&format!("{delivered} of 40 documents were signed")), "{fault}");
    let outcomes = bodies(&answers.0, EntryKind::Outcome);
    let outcome = outcomes.last().unwrap();
    assert_eq!((&outcome["result"], &outcome["count"]), (&"incomplete".into(), &delivered.into()));
    assert_eq!(outcome["fault"]["code"], "io.full");
}

#[test]
fn turns_are_given_once_whoever_asks() {
    let answers = Answers(Folder::with_one_line());
    let list = digests(&octets(2_000));
    let approval = approve(&vault(&answers), &list, list.clone()).unwrap();
    let take = || std::iter::from_fn(|| approval.next_turn().map(|turn| turn.place())).collect::<Vec<_>>();
    let mut places: Vec<usize> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    places.sort_unstable();
    assert_eq!(places, (0..2_000).collect::<Vec<_>>());
    assert!(approval.next_turn().is_none());
}

/// What lies in the folder unseen: whole documents, by digest.
fn unseen(folder: &Folder) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(folder.path("out/.fedroot")) else { return BTreeSet::new() };
    let bytes = entries.filter_map(|entry| fs::read(entry.unwrap().path()).ok());
    bytes
        .filter(|bytes| bytes.ends_with(b"EntityDescriptor>\n"))
        .map(|bytes| Digest::of(&bytes).to_string())
        .collect()
}

#[test]
fn a_killed_batch_goes_on_where_it_ended_and_signs_nothing_twice() {
    const ALL: usize = 240;
    let folder = Folder::with_one_line();
    fs::write(folder.path("in.xml"), numbered(ALL)).unwrap();
    let mut child = folder
        .command(FEDROOT)
        .args(split("in.xml", &[]))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while unseen(&folder).len() < 20 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!folder.path("out/entities").exists(), "nothing is published before the outcome");
    let left = unseen(&folder);
    assert!((20..ALL).contains(&left.len()), "{}", left.len());
    let intents = bodies(&folder, EntryKind::Intent).len();
    folder.good(&["ledger", "recover", "--reason", "killed by a test", "--vault", "V"]);

    let said = splits(&folder, "in.xml", &[]);
    assert_eq!(count(&said, "resumed"), left.len());
    assert_eq!(said["signed"], ALL - left.len());
    let published: BTreeSet<String> = said["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|document| {
            let bytes = folder.read(&format!("out/{}", document["names"][0].as_str().unwrap()));
            let digest = Digest::of(&bytes).to_string();
            assert_eq!(document["digest"], digest);
            digest
        })
        .collect();
    assert_eq!(published.len(), ALL);
    assert!(left.is_subset(&published), "what was signed before is published as it is");
    let now = bodies(&folder, EntryKind::Intent);
    assert_eq!(now.len(), intents + 1);
    assert_eq!(now.last().unwrap()["count"], ALL - left.len());
    assert!(!folder.path("out/.fedroot").exists());
    let again = splits(&folder, "in.xml", &[]);
    assert_eq!((&again["changed"], &again["signed"]), (&false.into(), &0.into()));
    folder.good(&["ledger", "verify", "--vault", "V"]);
}

#[test]
fn what_stands_is_looked_at_and_not_trusted() {
    let folder = Folder::with_one_line();
    fs::write(folder.path("in.xml"), numbered(6)).unwrap();
    let said = splits(&folder, "in.xml", &[]);
    let name = |at: usize| format!("out/{}", said["documents"][at]["names"][0].as_str().unwrap());
    let text = |at: usize| String::from_utf8(folder.read(&name(at))).unwrap();
    let good: Vec<Vec<u8>> = (0..6).map(|at| folder.read(&name(at))).collect();
    // Each in place, so that both names of the file have it.
    fs::write(folder.path(&name(0)), text(0).replace("sp.example/acs", "evil.example/acs")).unwrap();
    fs::write(folder.path(&name(1)), "").unwrap();
    fs::write(folder.path(&name(2)), text(2) + "\n").unwrap();
    fs::write(folder.path(&name(3)), &good[4]).unwrap();
    let other = said["documents"][5]["names"][1].as_str().unwrap();
    fs::remove_file(folder.path(&format!("out/{other}"))).unwrap();
    fs::write(folder.path(&format!("out/{other}")), "evil").unwrap();

    let said = splits(&folder, "in.xml", &[]);
    let status = |at: usize| said["documents"][at]["status"].as_str().unwrap();
    assert_eq!(
        [status(0), status(1), status(2), status(3), status(4), status(5)],
        ["restored", "restored", "changed", "changed", "unchanged", "unchanged"]
    );
    assert_eq!((&said["signed"], &said["changed"]), (&4.into(), &true.into()));
    assert_eq!((folder.read(&name(4)), folder.read(&name(5))), (good[4].clone(), good[5].clone()));
    assert_eq!(folder.read(&format!("out/{other}")), good[5], "the other name is mended, and nothing signed");
    for at in 0..6 {
        folder.good(&["verify", "saml", &name(at), "--trust", "metadata.pub"]);
        assert_eq!(text(at).matches("evil").count(), 0);
    }
}

#[test]
fn names_stay_in_the_folder_whatever_entities_are_called() {
    let folder = Folder::with_one_line();
    let ids = [
        "..",
        ".",
        "../../etc/passwd",
        "/etc/passwd",
        "100%",
        "%2E%2E",
        ".htaccess",
        "urn:x-müller",
        "https://xn--e1afmkfd.example/%2F?a=b&amp;c=d#e",
        "{sha1}00",
        "index.json",
        "https://sp.example/",
    ];
    let long = format!("https://sp.example/{}", "x".repeat(300));
    let ids = ids.iter().map(ToString::to_string).chain([long.clone()]);
    fs::write(folder.path("in.xml"), aggregate(ids)).unwrap();
    let said = splits(&folder, "in.xml", &[]);
    let documents = said["documents"].as_array().unwrap();
    assert_eq!(documents.len(), 13);
    let mut expected: BTreeSet<String> = BTreeSet::from(["index.json".into()]);
    for document in documents {
        let names: Vec<&str> =
            document["names"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
        assert_eq!(names.len(), if document["id"] == long { 1 } else { 2 }, "{names:?}");
        for name in names {
            let file = name.strip_prefix("entities/").unwrap();
            assert!(!file.contains('/') && !file.starts_with('.') && file.len() <= 255, "{name}");
            expected.insert(name.to_owned());
        }
    }
    let out = folder.path("out");
    let found: BTreeSet<String> = files(&out, "")
        .iter()
        .map(|path| path.strip_prefix(&out).unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(found, expected);
    assert_eq!(splits(&folder, "in.xml", &[])["changed"], false);
}

#[test]
fn what_an_entity_has_from_its_groups_goes_with_it() {
    let this = "what_an_entity_has_from_its_groups_goes_with_it";
    let folder = Folder::with_one_line();
    let input = format!(
        r#"<!-- before --><m:EntitiesDescriptor xmlns:m="{MD}" xmlns="urn:d" xmlns:xs="http://www.w3.org/2001/XMLSchema"
 xmlns:unused="urn:unused" xml:lang="en" validUntil="2020-01-01T00:00:00Z" ID="_g">
<m:EntitiesDescriptor xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xml:lang="de" xml:space="preserve">
<m:EntityDescriptor entityID="https://a.example/" xml:lang="fr"><m:Extensions><any xsi:type="xs:string">&amp;</any></m:Extensions>
<m:SPSSODescriptor protocolSupportEnumeration="p"/></m:EntityDescriptor>
<EntityDescriptor xmlns="{MD}" entityID="https://b.example/" ID="_own"><SPSSODescriptor protocolSupportEnumeration="p"/></EntityDescriptor>
</m:EntitiesDescriptor>
<m:EntityDescriptor entityID="https://c.example/" cacheDuration="P9D"/>
</m:EntitiesDescriptor>"#
    );
    fs::write(folder.path("in.xml"), input).unwrap();
    let said = splits(&folder, "in.xml", &["--release-brake", "test"]);
    let read = |at: usize| {
        let name = said["documents"][at]["names"][0].as_str().unwrap();
        String::from_utf8(folder.read(&format!("out/{name}"))).unwrap()
    };
    let (a, b, c) = (read(0), read(1), read(2));
    for part in [
        " xml:lang=\"fr\"",
        " xml:space=\"preserve\"",
        " xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"",
        " xmlns:xsi=",
        " xmlns=\"urn:d\"",
        " cacheDuration=\"PT6H\"",
    ] {
        assert!(a.contains(part), "{part}: {a}");
    }
    assert!(!a.contains("unused") && !a.contains("2020-01-01") && !a.contains("before"), "{a}");
    assert!(b.contains(" ID=\"_own\"") && b.contains(" xml:lang=\"de\"") && !b.contains("urn:d"), "{b}");
    assert!(
        c.ends_with("</m:EntityDescriptor>\n") && c.contains(" xml:lang=\"en\"") && !c.contains("P9D"),
        "{c}"
    );
    assert!(!c.contains("xml:space") && !c.contains("xmlns:xsi"), "{c}");
    if peers(this, &["xmlsec1", "xmllint"]) {
        for at in 0..3 {
            let name = said["documents"][at]["names"][0].as_str().unwrap();
            assert!(strangers_accept(&folder, &format!("out/{name}"), "metadata.pub"), "{name}");
        }
    }
    // An entity that was signed before, and a document that is one entity.
    let name = said["documents"][0]["names"][0].as_str().unwrap();
    let wrapped = format!(
        "<m:EntitiesDescriptor xmlns:m=\"{MD}\">{}</m:EntitiesDescriptor>",
        a.split_once("?>").unwrap().1
    );
    for (input, content) in [("wrapped.xml", wrapped), ("alone.xml", a.clone())] {
        fs::write(folder.path(input), content).unwrap();
        fs::remove_dir_all(folder.path("out")).unwrap();
        splits(&folder, input, &["--release-brake", "test"]);
        let found = String::from_utf8(folder.read(&format!("out/{name}"))).unwrap();
        assert_eq!(found.matches("<ds:Signature ").count(), 1, "{input}: {found}");
        folder.good(&["verify", "saml", &format!("out/{name}"), "--trust", "metadata.pub"]);
    }
}

#[test]
fn one_renews_a_folder_at_a_time() {
    let folder = Folder::with_one_line();
    fs::write(folder.path("in.xml"), numbered(2)).unwrap();
    let staging = Staging::open(&folder.path("out")).unwrap();
    let ran = folder.fedroot(&split("in.xml", &[]));
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &said["code"]), (7, &"file.busy".into()), "{}", ran.stdout);
    drop(staging);
    assert_eq!(splits(&folder, "in.xml", &[])["signed"], 2);
}

/// Every aggregate of the corpus that can be split, and that is not larger than this, in bytes.
const CORPUS_BYTES_MAX: u64 = 40_000;

#[test]
fn strangers_verify_every_file_that_an_aggregate_of_the_corpus_is_split_into() {
    let test = "strangers_verify_every_file_that_an_aggregate_of_the_corpus_is_split_into";
    let Some(corpus) = corpus(test) else { return };
    if !peers(test, &["xmlsec1", "xmllint"]) {
        return;
    }
    let folder = Folder::with_one_line();
    let (mut aggregates, mut documents) = (0, 0);
    for path in files(&corpus.join("saml"), ".xml") {
        if fs::metadata(&path).unwrap().len() > CORPUS_BYTES_MAX
            || !String::from_utf8_lossy(&fs::read(&path).unwrap()).contains("EntitiesDescriptor")
        {
            continue;
        }
        let _ = fs::remove_dir_all(folder.path("out"));
        let ran = folder.fedroot(&split(path.to_str().unwrap(), &["--release-brake", "test"]));
        let said: Value = serde_json::from_str(&ran.stdout).unwrap();
        if ran.code != 0 {
            let (code, why) = (said["code"].as_str().unwrap(), said["message"].as_str().unwrap());
            let known = ["dsig.", "xml.", "saml.root", "sign.split"].iter().any(|own| code.starts_with(own));
            let hidden = why.contains("saml.entity.misplaced") || why.contains("saml.split.group");
            assert!(known || hidden, "{}: {}", path.display(), ran.stdout);
            continue;
        }
        aggregates += 1;
        for document in said["documents"].as_array().unwrap() {
            let name = document["names"][0].as_str().unwrap();
            let file = format!("out/{name}");
            assert!(strangers_accept(&folder, &file, "metadata.pub"), "{}: {name}", path.display());
            documents += 1;
        }
    }
    assert!(aggregates > 40 && documents > 60, "{aggregates} aggregates, {documents} documents: too few");
}
