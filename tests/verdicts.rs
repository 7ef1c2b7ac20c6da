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

/// Every well-formed document with a signature whose key is known. That key is trusted: so the peers judge the signature,
/// and not who made it.
fn cases(corpus: &Path, keys: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for path in files(&corpus.join("saml"), ".xml") {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let Some((_, after)) = text.split_once("SignatureValue") else { continue };
        let Some(elements) = elements(&text) else { continue };
        let key = keys.join(format!("{}.pem", cases.len()));
        let known = Known::of(after, &path, corpus);
        if known.is_some_and(|known| known.write(&key)) {
            cases.push(Case { path, text, key, elements });
        }
    }
    cases
}

/// How a key is known.
enum Known {
    /// By a certificate that the signature carries.
    Certificate(Vec<u8>),
    /// By the key that it carries (`KeyValue`), as SubjectPublicKeyInfo.
    Value(Vec<u8>),
    /// By a file beside it: a public key or a certificate.
    File(PathBuf),
}

/// Where the key is that made the signatures of a folder, or the one beside it that made one file.
const FILES: [(&str, &str); 3] = [
    ("xml-crypto-static/windows_store", "attacks/xml-crypto-static/windows_store_certificate.pem"),
    ("xml-crypto/windows_store", "attacks/xml-crypto-static/windows_store_certificate.pem"),
    ("attacks/xml-crypto-static/", "attacks/xml-crypto-static/client_public.pem"),
];

impl Known {
    fn of(after: &str, path: &Path, corpus: &Path) -> Option<Self> {
        if let Some(der) = value(after, "X509Certificate") {
            return Some(Self::Certificate(der));
        }
        if let (Some(n), Some(e)) = (value(after, "Modulus"), value(after, "Exponent")) {
            return Some(Self::Value(rsa(&n, &e)));
        }
        if let (Some(curve), Some(point)) = (named_curve(after), value(after, "PublicKey")) {
            return Some(Self::Value(ec(&curve, &point)));
        }
        // the keys of xmlsec's own tests go by their names
        let saml = corpus.join("saml");
        if let Some((_, rest)) = after.split_once("KeyName>TestKeyName-") {
            let name = rest.split('<').next()?.trim();
            let family = name.split('-').next()?;
            return Some(Self::File(saml.join(format!("xmldsig/xmlsec/keys/{family}/{name}-pubkey.pem"))));
        }
        let shown = path.to_str()?;
        let (_, file) = FILES.iter().find(|(place, _)| shown.contains(place))?;
        Some(Self::File(saml.join(file)))
    }

    /// Writes the key for all who verify; openssl has to understand it.
    fn write(&self, to: &Path) -> bool {
        let from = to.with_extension("der");
        let (command, form) = match self {
            Self::Certificate(der) | Self::Value(der) => {
                fs::write(&from, der).unwrap();
                (if matches!(self, Self::Value(_)) { "pkey" } else { "x509" }, "der")
            }
            Self::File(path) => {
                let Ok(pem) = fs::read_to_string(path) else { return false };
                fs::write(&from, &pem).unwrap();
                (if pem.contains("BEGIN CERTIFICATE") { "x509" } else { "pkey" }, "pem")
            }
        };
        let public: &[&str] = if command == "x509" { &["-noout", "-pubkey"] } else { &["-pubin", "-pubout"] };
        let output = Command::new("openssl")
            .args([command, "-inform", form])
            .args(public)
            .arg("-in")
            .arg(&from)
            .output()
            .unwrap();
        fs::write(to, output.stdout).unwrap();
        output.status.success()
    }
}

/// What stands in the first element of this name, in base64.
fn value(text: &str, name: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("{name}>"))?;
    let base64: String = rest.split('<').next()?.replace("&#13;", "").split_whitespace().collect();
    Base64::decode_vec(&base64).ok()
}

/// The named curve of a key value, as the content of its object identifier.
fn named_curve(text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once("NamedCurve ")?;
    let (_, rest) = rest.split_once("urn:oid:")?;
    Some(rest.split('"').next()?.parse::<const_oid::ObjectIdentifier>().ok()?.as_bytes().to_vec())
}

/// A value in DER.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().position(|&byte| byte != 0).unwrap_or(length.len() - 1)..];
    let long = if content.len() < 0x80 { vec![] } else { vec![0x80 | u8::try_from(length.len()).unwrap()] };
    [&[tag], long.as_slice(), length, content].concat()
}

/// SubjectPublicKeyInfo (RFC 5280, section 4.1) of an algorithm, its parameters, and a key.
fn public_key_info(algorithm: &[u8], parameters: &[u8], key: &[u8]) -> Vec<u8> {
    let algorithm = der(0x30, &[der(0x06, algorithm), parameters.to_vec()].concat());
    der(0x30, &[algorithm, der(0x03, &[&[0], key].concat())].concat())
}

/// An RSA key: rsaEncryption.
fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let sign: &[u8] = if bytes[0] < 0x80 { &[] } else { &[0] };
        der(0x02, &[sign, bytes].concat())
    };
    let key = der(0x30, &[integer(modulus), integer(exponent)].concat());
    public_key_info(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1], &der(0x05, &[]), &key)
}

/// A key on a named curve: id-ecPublicKey.
fn ec(curve: &[u8], point: &[u8]) -> Vec<u8> {
    public_key_info(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1], &der(0x06, curve), point)
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
    assert!(both >= 15 && cases.len() >= 303, "only {both} of {} are good", cases.len());
    for (why, ..) in PURPOSES {
        assert!(refused.contains(why), "nothing is refused for: {why}");
    }
}
