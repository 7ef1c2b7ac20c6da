//! The XML room against libxml2's `xmllint`, over every file of the corpus.
#![expect(
    clippy::disallowed_methods,
    reason = "a peer is another program, and the corpus lies outside the tree"
)]
#![expect(clippy::disallowed_macros, clippy::print_stderr, reason = "a skipped comparison must be seen")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64ct::{Base64, Encoding as _};
use fedroot::base::fault::Fault;
use fedroot::format::xml::{self, Canonicalizer, Event, Form, Limits, Reader, dsig};
use sha2::{Digest as _, Sha384};

/// The corpus, when it is there. With `FEDROOT_REQUIRE_PEERS=1` it must be.
fn corpus() -> Option<PathBuf> {
    let missing = match std::env::var_os("FEDROOT_CORPUS").map(PathBuf::from) {
        Some(corpus) if Command::new("xmllint").arg("--version").output().is_ok() => return Some(corpus),
        Some(_) => "xmllint is not installed",
        None => "FEDROOT_CORPUS is not set",
    };
    assert!(std::env::var_os("FEDROOT_REQUIRE_PEERS").is_none_or(|value| value != "1"), "{missing}");
    eprintln!("SKIPPED: the comparison with xmllint: {missing}");
    None
}

/// Every `.xml` file below `folder`, in order.
fn documents(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "xml") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The canonical form as `xmllint --exc-c14n` writes it: of the whole document, with comments.
fn canonical(document: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut reader = Reader::new(document, Limits::default());
    let form = Form { comments: true, outside: true, ..Form::default() };
    let mut canonicalizer = Canonicalizer::new(Vec::new(), form);
    while let Some(event) = reader.next()? {
        canonicalizer.event(&event);
    }
    Ok(canonicalizer.finish())
}

/// What we refuse and libxml2 does not, on purpose: any DOCTYPE, and encodings other than UTF-8.
fn is_deliberate(fault: &Fault) -> bool {
    [&xml::DOCTYPE, &xml::ENCODING].contains(&fault.code())
}

#[test]
fn exclusive_canonicalization_equals_xmllint() {
    let Some(corpus) = corpus() else { return };
    let (mut same, mut disagreements) = (0, Vec::new());
    for path in documents(&corpus.join("saml")).unwrap() {
        let theirs = Command::new("xmllint").args(["--nonet", "--exc-c14n"]).arg(&path).output().unwrap();
        match (canonical(&fs::read(&path).unwrap()), theirs.status.success()) {
            (Ok(ours), true) if ours == theirs.stdout => same += 1,
            (Ok(_), true) => disagreements.push(format!("{}: other octets", path.display())),
            (Ok(_), false) => disagreements.push(format!("{}: we accept, xmllint refuses", path.display())),
            (Err(fault), true) if !is_deliberate(&fault) => {
                disagreements.push(format!("{}: xmllint accepts, we say: {fault}", path.display()));
            }
            (Err(_), _) => {}
        }
    }
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
    assert!(same > 1000, "only {same} files compared");
}

/// The attacks on metadata signatures, each with the code that must refuse it; `intact` and `changed` are digests,
/// and `changed` is a refusal too.
const ATTACKS: &[(&str, &str)] = &[
    ("m00-original", "intact"),
    ("m01-sig-on-evil-root-ref-nested-ext", "dsig.reference"),
    ("m02-nested-signed-in-ext-root-unsigned", "dsig.missing"),
    ("m03-duplicate-id-orig-last", "dsig.id"),
    ("m03b-duplicate-id-orig-is-root", "dsig.id"),
    ("m04-original-in-object", "dsig.reference"),
    ("m05-nested-group-schema-valid", "dsig.reference"),
    ("m06-nested-signed-child-root-unsigned", "dsig.missing"),
    ("m07-comment-in-text", "intact"),
    ("m07b-pi-in-text", "changed"),
    ("m08-doctype-unused-entity", "xml.doctype"),
    ("m09-unsigned", "dsig.missing"),
    ("m10-tampered", "changed"),
    ("m11-signature-last", "dsig.position"),
    ("m12-xxe-unused", "xml.doctype"),
    ("m13-attacker-signature-first", "dsig.reference"),
    ("m14-attacker-signature-after", "dsig.several"),
    ("m15-leading-comment-and-pi", "intact"),
    ("m16-entity-in-doctype-text", "xml.doctype"),
    ("m17-crlf", "intact"),
    ("m18-utf8-bom", "intact"),
    ("m19-default-attr-doctype", "xml.doctype"),
    ("m20-charref-attr", "intact"),
    // the white space changes what was signed: the key says no, not the digest
    ("m21-whitespace-in-digestvalue", "intact"),
    ("m22-comment-in-digestvalue", "dsig.grammar"),
    ("m23-cdata-text", "intact"),
    ("m24-xslt-transform-added", "dsig.transform"),
];

#[test]
fn attacks_on_metadata_are_refused_for_their_reason() {
    let Some(corpus) = corpus() else { return };
    for (name, expected) in ATTACKS {
        let document = fs::read(corpus.join(format!("saml/derived-metadata-xsw/{name}.xml"))).unwrap();
        let verified = dsig::verify(&document[..], Limits::default(), |_| Ok(()));
        let found = match &verified {
            Ok(verified) if verified.is_intact() => "intact",
            Ok(_) => "changed",
            Err(fault) => fault.code().name,
        };
        assert_eq!(found, *expected, "{name}: {:?}", verified.err());
    }
}

#[test]
fn a_line_end_in_an_attribute_is_a_space_in_what_was_signed() {
    let Some(corpus) = corpus() else { return };
    let document =
        fs::read(corpus.join("saml/derived-metadata-xsw/n01-newline-in-attribute-valid.xml")).unwrap();
    let mut reader = Reader::new(&document[..], Limits::default());
    let mut canonicalizer = Canonicalizer::new(Vec::new(), Form::default());
    let (mut muted, mut claimed, mut in_digest) = (false, String::new(), false);
    while let Some(event) = reader.next().unwrap() {
        match event {
            Event::Start(tag) if tag.depth() == 1 && tag.is(dsig::NS, "Signature") => muted = true,
            Event::Start(tag) if muted => in_digest = tag.is(dsig::NS, "DigestValue"),
            Event::Text(text) if in_digest => claimed += text.trim(),
            _ if !muted => canonicalizer.event(&event),
            Event::End(tag) if tag.depth() == 1 => muted = false,
            Event::End(_) => in_digest = false,
            _ => {}
        }
    }
    let digest = Sha384::digest(canonicalizer.finish());
    assert_eq!(Base64::encode_string(&digest), claimed);
}

#[test]
fn bombs_and_external_entities_are_refused_as_doctypes() {
    let Some(corpus) = corpus() else { return };
    for path in documents(&corpus.join("bad/xml-defusedxml")).unwrap() {
        if !path.to_string_lossy().contains("simple") {
            let fault = canonical(&fs::read(&path).unwrap()).expect_err("a refusal");
            assert_eq!(fault.code(), &xml::DOCTYPE, "{}: {fault}", path.display());
        }
    }
}
