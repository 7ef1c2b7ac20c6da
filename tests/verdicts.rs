//! Verification against xmlsec1 and the JDK: every signed document of the corpus whose key is known gets the same verdict,
//! except where we refuse on purpose. Each such purpose has a row here, with a look at the document of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64ct::{Base64, Encoding as _};
use fedroot::artefact::{self, kind};
use fedroot::base::disk::Document;
use fedroot::base::fault::Fault;
use fedroot::format::xml::{Event, Limits, Reader, dsig};
use fedroot::key::{PublicKey, Signature, scheme};

use crate::peers::{jdk, xmlsec1};
use crate::support::{corpus, files, peers};

/// What others verify and we refuse: why, how the document shows it, and the codes of the refusal.
const PURPOSES: &[(&str, fn(&str) -> bool, &[&str])] = &[
];

/// A signed document of the corpus and a key to hold it against.
struct Case {
    path: PathBuf,
    text: String,
    key: PathBuf,
    elements: Vec<String>,
}

/// Every well-formed document with a signature that carries a certificate. The certificate's key is the one that is
/// trusted: so the peers judge the signature, and not who made it.
fn cases(corpus: &Path, keys: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for path in files(&corpus.join("saml"), ".xml") {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let Some((_, after)) = text.split_once("SignatureValue") else { continue };
        let Some(elements) = elements(&text) else { continue };
        let key = keys.join(format!("{}.pem", cases.len()));
        if certificate(after).is_some_and(|der| write_key(&der, &key)) {
            cases.push(Case { path, text, key, elements });
        }
    }
    cases
}

/// The first certificate of the text.
fn certificate(text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once("X509Certificate>")?;
    let base64: String = rest.split('<').next()?.replace("&#13;", "").split_whitespace().collect();
    Base64::decode_vec(&base64).ok()
}

fn write_key(certificate: &[u8], to: &Path) -> bool {
    fs::write(to.with_extension("der"), certificate).unwrap();
    let output = Command::new("openssl")
        .args(["x509", "-inform", "der", "-noout", "-pubkey", "-in"])
        .arg(to.with_extension("der"))
        .output()
        .unwrap();
    fs::write(to, output.stdout).unwrap();
    output.status.success()
}

/// The names of the elements with an ID, as xmlsec1 wants them.
fn elements(text: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let stripped;
    // a DOCTYPE is not for our reader: the elements are found without it
    let text = match text.split_once("<!DOCTYPE") {
        Some((before, rest)) => {
            let end = rest.find("]>").map(|at| at + 2).or_else(|| rest.find('>').map(|at| at + 1))?;
            stripped = format!("{before}{}", &rest[end..]);
            &stripped
        }
        None => text,
    };
    let mut reader = Reader::new(text.as_bytes(), Limits { unsound_namespaces: true, ..Limits::default() });
    while let Ok(Some(event)) = reader.next() {
        if let Event::Start(tag) = event
            && tag.attributes().any(|a| ["ID", "Id", "id", "AssertionID"].contains(&a.name))
        {
            let namespace = tag.namespace();
            let name = tag.local();
            found.push(if namespace.is_empty() { name.to_owned() } else { format!("{namespace}:{name}") });
        }
    }
    found.sort();
    found.dedup();
    Some(found)
}

/// What we say, for any root element.
fn ours(case: &Case) -> Result<(), Fault> {
    let key = PublicKey::from_pem(&fs::read_to_string(&case.key).unwrap())?;
    let found = dsig::verify(case.text.as_bytes(), Limits::default(), |_| Ok(()))?;
    let method = &found.signature.signature_method;
    let (_, scheme) = scheme(method).ok_or_else(|| artefact::WEAK.fault(method))?;
    if !key.verify(scheme, &found.signed_info, &Signature::from_bytes(found.signature.value.clone())) {
        return Err(artefact::UNTRUSTED.fault("not by this key"));
    }
    if found.is_intact() { Ok(()) } else { Err(artefact::ALTERED.fault("altered")) }
}

#[test]
fn xmlsec1_and_the_jdk_agree_on_every_signed_document() {
    let test = "xmlsec1_and_the_jdk_agree_on_every_signed_document";
    let Some(corpus) = corpus(test) else { return };
    if !peers(test, &["xmlsec1", "java", "openssl"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let cases = cases(&corpus, folder.path());
    let jobs: Vec<_> =
        cases.iter().map(|case| vec![case.path.display().to_string(), case.key.display().to_string()]).collect();
    let java = jdk("verify", &jobs);
    let mut surprises = Vec::new();
    let mut both = 0;
    for (case, java) in cases.iter().zip(java) {
        let theirs = [xmlsec1(&case.path, &case.key, &case.elements), java == "ok"];
        let ours = ours(case);
        let shown = case.path.strip_prefix(&corpus).unwrap().display();
        println!("{shown}\t{theirs:?}\t{java}\t{:?}", ours.as_ref().err().map(|f| f.code().name));
        match &ours {
            Ok(()) if theirs == [true, true] => both += 1,
            Ok(()) => surprises.push(format!("{shown}: we accept, xmlsec1 and the JDK say {theirs:?} ({java})")),
            Err(_) if theirs == [false, false] => {}
            Err(fault) => {
                let code = fault.code().name;
                let justified = |row: &&(&str, fn(&str) -> bool, &[&str])| row.2.contains(&code) && row.1(&case.text);
                if !PURPOSES.iter().any(|row| justified(&row)) {
                    surprises.push(format!("{shown}: we say {fault}, xmlsec1 and the JDK {theirs:?}"));
                }
            }
        }
    }
    assert!(surprises.is_empty(), "{} of {}:\n{}", surprises.len(), cases.len(), surprises.join("\n"));
    assert!(both > 5, "{both}");
}
