//! What is done with foreign bytes, once for cargo-fuzz and once for the suite (`tests/fuzz.rs`). Nothing panics; every
//! refusal has a code and says something; what is taken is taken for what it is.

mod documents;
mod libxml2;

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use fedroot::artefact::kind;
use fedroot::artefact::openid::{Anchor, Link, MetadataPolicy, Statement, verify_chain};
use fedroot::base::clock::Instant;
use fedroot::base::disk::Document;
use fedroot::base::fault::{Class, Code, Fault};
use fedroot::base::random;
use fedroot::custody::Catalogue;
use fedroot::format::jose::{Jwk, JwkSet, Jws, thumbprint_of};
use fedroot::format::json::{self, Limits as JsonLimits, Map, Numbers, Value};
use fedroot::format::private;
use fedroot::format::x509;
use fedroot::format::xml::{self, Canonicalizer, Event, Form, Limits, Reader};
use fedroot::key::{Line, PublicKey};
use fedroot::ledger::{self, Auditor, Evidence, LOG, Ledger, Note, Request, Rewrapped, VerifierKey};
use fedroot::policy::Profile;

pub(crate) use libxml2::Libxml2;

/// What a target needs besides the bytes.
pub(super) struct Ground<'a> {
    /// A vault with the key line `example.org/sandbox/metadata`.
    pub(super) vault: &'a Path,
    /// The auditor of its ledger.
    pub(super) auditor: Auditor,
    /// The public half of a key that documents are signed with.
    pub(super) key: PublicKey,
}

/// A target: its name, which is also its folder below `fuzz/corpus`, and what it does.
pub(super) type Target = (&'static str, fn(&Ground<'_>, &[u8]));

/// All targets.
pub(super) const TARGETS: &[Target] = &[
    ("ledger_line", ledger_line),
    ("ledger_state", ledger_state),
    ("note", note),
    ("proof", proof),
    ("witness_request", witness_request),
    ("rewrapped", rewrapped),
    ("xml_reader", xml_reader),
    ("xml_verify", xml_verify),
    ("c14n_documents", c14n_documents),
    ("c14n_bytes", c14n_bytes),
    ("profile", profile),
    ("record", record),
    ("public_key", public_key),
    ("json", json),
    ("jws", jws),
    ("metadata_policy", metadata_policy),
    ("entity_statement", entity_statement),
];

/// Refusals are named: a code that is not the one for our own bugs, and words.
fn named<T>(result: Result<T, Fault>) -> Option<T> {
    if let Err(fault) = &result {
        assert!(!fault.code().name.is_empty() && !fault.message().is_empty());
        assert_ne!(fault.code().class, Class::Internal, "{fault}");
    }
    result.ok()
}

/// A whole log: with its seals and without, both see the same ledger.
pub(super) fn ledger_line(_: &Ground<'_>, data: &[u8]) {
    let chain = named(ledger::verify_chain(data));
    let whole = named(ledger::verify(data));
    let cores = named(ledger::verify_document(&Document::from_bytes("fuzz", data.to_vec())));
    assert_eq!(whole, cores);
    assert!(whole.is_none() || whole == chain);
}

/// A state file beside a good log: the ledger is refused, or takes no entry that does not fit.
pub(super) fn ledger_state(ground: &Ground<'_>, data: &[u8]) {
    let (folder, from) = (ground.vault.join("fuzz-state"), ground.vault.join("ledger"));
    if !folder.exists() {
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        fs::copy(from.join(LOG), folder.join(LOG)).unwrap();
        fs::copy(from.join("state"), folder.join("state")).unwrap();
    }
    fs::write(folder.join("state"), data).unwrap();
    let before = fs::read(folder.join(LOG)).unwrap();
    named(ledger::verify_folder(&folder));
    let auditors = std::slice::from_ref(&ground.auditor);
    named(Ledger::open(&folder, auditors, Box::new(random::system())));
    assert_eq!(fs::read(folder.join(LOG)).unwrap(), before, "opening changes no entry");
}

/// A checkpoint, and the keys that might have signed it.
pub(super) fn note(_: &Ground<'_>, data: &[u8]) {
    if let Some(note) = named(Note::parse(data)) {
        assert_eq!(note.text().as_bytes(), data, "a note has one way to be written");
    }
    if let Some(key) = str::from_utf8(data).ok().and_then(|text| named(VerifierKey::parse(text))) {
        assert!(!key.name().is_empty());
    }
}

/// A proof of inclusion.
pub(super) fn proof(_: &Ground<'_>, data: &[u8]) {
    if let Some((evidence, _)) = named(Evidence::parse(data)) {
        assert_eq!(evidence.text().as_bytes(), data, "a proof has one way to be written");
    }
}

/// A request to a witness.
pub(super) fn witness_request(_: &Ground<'_>, data: &[u8]) {
    if let Some(request) = named(Request::parse(data)) {
        assert_eq!(request.text().as_bytes(), data, "a request has one way to be written");
    }
}

/// Session keys for a new auditor.
pub(super) fn rewrapped(_: &Ground<'_>, data: &[u8]) {
    named(Rewrapped::parse(data));
}

/// The XML reader, and the canonical form of what it reads.
pub(super) fn xml_reader(_: &Ground<'_>, data: &[u8]) {
    let mut reader = Reader::new(data, Limits::default());
    let mut depth = 0_usize;
    while let Some(Some(event)) = named(reader.next()) {
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.checked_sub(1).expect("an end without a start"),
            Event::Text { .. } | Event::Comment(_) | Event::Instruction { .. } => {}
        }
    }
    if let Some(once) = canonical(data) {
        assert_eq!(canonical(&once), Some(once), "the canonical form is its own canonical form");
    }
}

fn canonical(data: &[u8]) -> Option<Vec<u8>> {
    let form = Form { comments: true, outside: true, ..Form::default() };
    named(canonical_form(data, &form))
}

/// Our exclusive canonical form of a document.
pub(crate) fn canonical_form(data: &[u8], form: &Form) -> Result<Vec<u8>, Fault> {
    let mut reader = Reader::new(data, Limits::default());
    let mut canonicalizer = Canonicalizer::new(Vec::new(), form.clone());
    while let Some(event) = reader.next()? {
        canonicalizer.event(&event);
    }
    Ok(canonicalizer.finish())
}

thread_local! {
    static LIBXML2: RefCell<Option<Libxml2>> = const { RefCell::new(None) };
}

fn theirs(data: &[u8], form: &Form) -> Result<Vec<u8>, String> {
    LIBXML2.with_borrow_mut(|peer| {
        peer.get_or_insert_with(|| Libxml2::start().expect("Python with lxml")).canonical(data, form)
    })
}

/// A document made of choices: libxml2 takes it as we do, and its canonical form is ours.
pub(super) fn c14n_documents(_: &Ground<'_>, data: &[u8]) {
    let (document, form) = documents::document(data);
    let ours =
        canonical_form(document.as_bytes(), &form).unwrap_or_else(|fault| panic!("{fault}: {document:?}"));
    let theirs = theirs(document.as_bytes(), &form).unwrap_or_else(|why| panic!("{why}: {document:?}"));
    assert_eq!(String::from_utf8(ours), String::from_utf8(theirs), "{form:?} of {document:?}");
}

/// Any bytes: what we take, libxml2 takes, and with the same canonical form; what we alone refuse is refused on purpose.
pub(super) fn c14n_bytes(_: &Ground<'_>, data: &[u8]) {
    let form = Form { comments: true, outside: true, ..Form::default() };
    match (canonical_form(data, &form), theirs(data, &form)) {
        (Ok(ours), Ok(theirs)) => assert_eq!(String::from_utf8(ours), String::from_utf8(theirs)),
        (Ok(_), Err(why)) => panic!("libxml2 refuses: {why}"),
        (Err(fault), Ok(_)) => assert!(on_purpose(&fault), "libxml2 takes it: {fault}"),
        (Err(_), Err(_)) => {}
    }
}

/// What we refuse and libxml2 does not: any DOCTYPE, encodings other than UTF-8, more than [`Limits`], versions of XML to
/// come, and namespace names that are no absolute URIs, on whose canonical form others do not agree.
pub(crate) fn on_purpose(fault: &Fault) -> bool {
    let says = |code: &Code, part: &str| fault.code() == code && fault.message().contains(part);
    says(&xml::NAMESPACE, "no absolute URI")
        || says(&xml::MALFORMED, "does not declare XML 1.0")
        || [&xml::DOCTYPE, &xml::ENCODING, &xml::LIMIT].contains(&fault.code())
}

/// A signed document, before a trusted key.
pub(super) fn xml_verify(ground: &Ground<'_>, data: &[u8]) {
    let kind = kind("saml").expect("this kind is built in");
    named(kind.verify(&Document::from_bytes("fuzz", data.to_vec()), std::slice::from_ref(&ground.key)));
}

/// The profile of a key line.
pub(super) fn profile(_: &Ground<'_>, data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Some(profile) = named(Profile::parse(text)) {
        let text = named(profile.to_toml()).expect("what was read can be written");
        named(Profile::parse(&text)).expect("and read again");
    }
}

/// The public record of a key.
pub(super) fn record(ground: &Ground<'_>, data: &[u8]) {
    fs::write(ground.vault.join("keys/example.org/sandbox/metadata/1.toml"), data).unwrap();
    let line: Line = "example.org/sandbox/metadata".parse().expect("this names a line");
    if let Some(catalogue) = named(Catalogue::open(ground.vault)) {
        named(catalogue.records(&line));
    }
}

/// A key or certificate that somebody wants trusted.
pub(super) fn public_key(_: &Ground<'_>, data: &[u8]) {
    named(PublicKey::from_spki(data));
    let Ok(text) = str::from_utf8(data) else { return };
    named(x509::public_key(text));
    if let Some(key) = named(PublicKey::from_pem(text)) {
        assert!(named(PublicKey::from_spki(key.spki())).is_some_and(|again| again == key));
    }
}

/// JSON, strict: what is taken is what `serde_json` takes, and can be written and read again.
pub(super) fn json(_: &Ground<'_>, data: &[u8]) {
    let limits = JsonLimits::default();
    let Some(value) = named(json::read(data, Numbers::Any, &limits)) else { return };
    assert_eq!(serde_json::from_slice::<Value>(data).expect("a lax reader takes it too"), value);
    let written = value.to_string();
    assert_eq!(named(json::read(written.as_bytes(), Numbers::Any, &limits)), Some(value));
}

/// A compact JWS, and what its payload says of keys.
pub(super) fn jws(ground: &Ground<'_>, data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Some(jws) = named(Jws::read(text, &[])) {
        named(jws.verify_with(&ground.key));
    }
    named(Jws::read_detached(text, data, &["ext"]));
    let Some(value) = named(json::read(data, Numbers::Any, &JsonLimits::default())) else { return };
    let is_public = named(private::refuse(&value)).is_some();
    named(JwkSet::read(&value));
    if let Some(jwk) = named(Jwk::read(&value)) {
        assert!(is_public, "a private key was taken");
        assert_eq!(named(thumbprint_of(&value)).expect("a key has a thumbprint"), jwk.thumbprint());
    }
}

/// Two policies and metadata, in an array.
pub(super) fn metadata_policy(_: &Ground<'_>, data: &[u8]) {
    let Some(Value::Array(all)) = named(json::read(data, Numbers::Any, &JsonLimits::default())) else {
        return;
    };
    let [superior, subordinate, Value::Object(metadata)] = all.as_slice() else { return };
    let read = |value| named(MetadataPolicy::read(value));
    let (Some(superior), Some(subordinate)) = (read(superior), read(subordinate)) else { return };
    let Some(both) = named(superior.merge(&subordinate)) else { return };
    assert_eq!(read(&both.to_value()), Some(both.clone()), "a merged policy is a policy");
    let mut once: Map<String, Value> = metadata.clone();
    if named(both.apply(&mut once)).is_some() {
        let mut twice = once.clone();
        assert!(
            named(both.apply(&mut twice)).is_some() && once == twice,
            "what keeps a policy stays as it is"
        );
    }
}

/// A document of a federation: its checks, alone and as a chain.
pub(super) fn entity_statement(ground: &Ground<'_>, data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let at = Instant::from_unix(1_795_348_800).expect("a time");
    let mut anchor = Anchor::default();
    named(anchor.trust("trusted", text));
    named(anchor.history(text));
    named(anchor.trust_keys(std::slice::from_ref(&ground.key)));
    let Some(statement) = named(Statement::read(text)) else { return };
    statement.check(at);
    let link = Link { place: "fuzz".into(), statement };
    named(verify_chain(&[link], &anchor, at));
}
