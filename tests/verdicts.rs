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

/// How a document shows, to somebody else than us, that a purpose applies.
enum Shown {
    /// Its text has this.
    Text(&'static str),
    /// xmllint finds this XPath true of it.
    Path(&'static str),
    /// OpenSSL finds none of these in the description of the key.
    NoKey(&'static [&'static str]),
}

/// What others verify and we refuse: why, what shows it, and the code of the refusal.
const PURPOSES: &[(&str, Shown, &str)] = &[
    ("a DOCTYPE", Shown::Text("<!DOCTYPE"), "xml.doctype"),
    ("no signature of the root", Shown::Path("not(/*/*[local-name()='Signature'])"), "dsig.missing"),
    (
        "the signature is not the first child, where the schema wants it",
        Shown::Path("/*/*[1][local-name()!='Signature']"),
        "dsig.position",
    ),
    (
        "inclusive canonicalization and foreign transforms",
        Shown::Path(
            "//*[local-name()='Transform' or local-name()='CanonicalizationMethod']\
             [not(contains(@Algorithm, 'xml-exc-c14n#') or contains(@Algorithm, '#enveloped-signature'))]",
        ),
        "dsig.transform",
    ),
    (
        "a reference to something else than the root",
        Shown::Path("/*/*/*/*[local-name()='Reference' and @URI!='' and @URI!=concat('#', /*/@ID)]"),
        "dsig.reference",
    ),
    ("an ID given twice", Shown::Path("//*[@ID=following::*/@ID or @ID=descendant::*/@ID]"), "dsig.id"),
    ("a comment in the signature", Shown::Path("/*/*[1]//comment()"), "dsig.grammar"),
    (
        "digests other than SHA-256, SHA-384 and SHA-512",
        Shown::Path(
            "//*[local-name()='DigestMethod']\
             [not(contains(@Algorithm, '#sha256') or contains(@Algorithm, '#sha384') or contains(@Algorithm, '#sha512'))]",
        ),
        "dsig.algorithm",
    ),
    (
        "signatures other than RSA with PKCS #1 v1.5 and ECDSA with SHA-384",
        Shown::Path(
            "//*[local-name()='SignatureMethod'][not(contains(@Algorithm, '#rsa-sha256') or contains(@Algorithm, \
             '#rsa-sha384') or contains(@Algorithm, '#rsa-sha512') or contains(@Algorithm, '#ecdsa-sha384'))]",
        ),
        "verify.algorithm",
    ),
    (
        "keys other than RSA of 2048 to 8192 bits and P-384",
        Shown::NoKey(&["(2048 bit)", "(3072 bit)", "(4096 bit)", "(8192 bit)", "secp384r1"]),
        "key.unsupported",
    ),
];

impl Shown {
    fn of(&self, case: &Case) -> bool {
        match self {
            Self::Text(text) => case.text.contains(text),
            Self::Path(path) => {
                let path = format!("boolean({path})");
                let output = Command::new("xmllint")
                    .args(["--nonet", "--xpath", &path])
                    .arg(&case.path)
                    .output()
                    .unwrap();
                output.stdout.starts_with(b"true")
            }
            Self::NoKey(sizes) => {
                let output = Command::new("openssl")
                    .args(["pkey", "-pubin", "-noout", "-text", "-in"])
                    .arg(&case.key)
                    .output()
                    .unwrap();
                let text = String::from_utf8(output.stdout).unwrap();
                output.status.success() && !sizes.iter().any(|size| text.contains(size))
            }
        }
    }
}

/// What we and the JDK verify, and xmlsec1 1.2 does not know.
const NEWER: Shown = Shown::Path("//*[local-name()='SignatureMethod'][contains(@Algorithm, '-rsa-MGF1')]");

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

/// What we say, for any root element. Of metadata, `verify` says the same.
fn ours(case: &Case) -> Result<(), Fault> {
    let verdict = judge(case);
    let root = case.text.contains("urn:oasis:names:tc:SAML:2.0:metadata");
    if let (true, Ok(key)) = (root, PublicKey::from_pem(&fs::read_to_string(&case.key).unwrap())) {
        let document = Document::from_bytes("case", case.text.clone().into_bytes());
        let kind = kind("saml").unwrap().verify(&document, &[key]);
        let code = |fault: &Fault| fault.code().name;
        let (kind, verdict) = (kind.err().as_ref().map(code), verdict.as_ref().err().map(code));
        assert!(
            kind == verdict || kind == Some("saml.root"),
            "{}: {kind:?}, {verdict:?}",
            case.path.display()
        );
    }
    verdict
}

fn judge(case: &Case) -> Result<(), Fault> {
    let found = dsig::verify(case.text.as_bytes(), Limits::default(), |_| Ok(()))?;
    let method = &found.signature.signature_method;
    let key = PublicKey::from_pem(&fs::read_to_string(&case.key).unwrap())?;
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
    if !peers(test, &["xmlsec1", "java", "openssl", "xmllint"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let cases = cases(&corpus, folder.path());
    let jobs: Vec<_> = cases
        .iter()
        .map(|case| vec![case.path.display().to_string(), case.key.display().to_string()])
        .collect();
    let java = jdk("verify", &jobs);
    let mut surprises = Vec::new();
    let (mut both, mut refused) = (0, Vec::new());
    for (case, java) in cases.iter().zip(java) {
        let theirs = [xmlsec1(&case.path, &case.key, &case.elements), java == "ok"];
        let ours = ours(case);
        let shown = case.path.strip_prefix(&corpus).unwrap().display();
        match &ours {
            Ok(()) if theirs == [true, true] || (theirs == [false, true] && NEWER.of(case)) => both += 1,
            Ok(()) => {
                surprises.push(format!("{shown}: we accept, xmlsec1 and the JDK say {theirs:?} ({java})"));
            }
            Err(_) if theirs == [false, false] => {}
            Err(fault) => match PURPOSES.iter().find(|row| row.2 == fault.code().name && row.1.of(case)) {
                Some(row) => refused.push(row.0),
                None => surprises.push(format!("{shown}: we say {fault}, xmlsec1 and the JDK {theirs:?}")),
            },
        }
    }
    assert!(surprises.is_empty(), "{} of {}:\n{}", surprises.len(), cases.len(), surprises.join("\n"));
    assert!(both >= 14 && cases.len() >= 182, "only {both} of {} are good", cases.len());
    for (why, ..) in PURPOSES {
        assert!(refused.contains(why), "nothing is refused for: {why}");
    }
}
