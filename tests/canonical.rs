//! Our canonical form against libxml2's (xmllint, and lxml where prefixes are inclusive), over the corpus, generated
//! aggregates and the published vectors of exclusive canonicalization.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use fedroot::format::xml::{self, Canonicalizer, Event, Form, Limits, Reader, StartTag};

use crate::fuzz::{canonical_form, lxml, on_purpose};
use crate::support::{aggregate, corpus, files, peers, quirks};

/// The canonical form as `xmllint --exc-c14n` writes it: of the whole document, with comments.
fn whole() -> Form {
    Form { comments: true, outside: true, ..Form::default() }
}

fn xmllint(document: &Path) -> Option<Vec<u8>> {
    let output = Command::new("xmllint").args(["--nonet", "--exc-c14n"]).arg(document).output().unwrap();
    output.status.success().then_some(output.stdout)
}

#[test]
fn exclusive_canonicalization_equals_xmllint() {
    let test = "exclusive_canonicalization_equals_xmllint";
    let Some(corpus) = corpus(test) else { return };
    if !peers(test, &["xmllint"]) {
        return;
    }
    let (mut same, mut disagreements) = (0, Vec::new());
    for path in files(&corpus.join("saml"), ".xml") {
        match (canonical_form(&fs::read(&path).unwrap(), &whole()), xmllint(&path)) {
            (Ok(ours), Some(theirs)) if ours == theirs => same += 1,
            (Ok(_), Some(_)) => disagreements.push(format!("{}: other octets", path.display())),
            (Ok(_), None) => disagreements.push(format!("{}: we accept, xmllint refuses", path.display())),
            (Err(fault), Some(_)) if !on_purpose(&fault) => {
                disagreements.push(format!("{}: xmllint accepts, we say: {fault}", path.display()));
            }
            (Err(_), _) => {}
        }
    }
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
    assert!(same > 1000, "only {same} files compared");
}

/// The prefixes that a document declares, the default one too.
fn prefixes(document: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(document);
    let declared = text.match_indices("xmlns").filter_map(|(at, _)| {
        let rest = &text[at + 5..];
        let name = rest
            .strip_prefix(':')
            .map_or("#default", |rest| rest.split(['=', ' ', '\n']).next().unwrap_or(""));
        xml::is_ncname(name.trim_start_matches('#')).then(|| name.to_owned())
    });
    declared.collect()
}

#[test]
fn inclusive_prefixes_are_those_of_libxml2() {
    let test = "inclusive_prefixes_are_those_of_libxml2";
    let Some(corpus) = corpus(test) else { return };
    let Some(mut libxml2) = lxml(test) else { return };
    let (mut same, mut listed) = (0, 0);
    for path in files(&corpus.join("saml"), ".xml") {
        let document = fs::read(&path).unwrap();
        let all: Vec<_> = prefixes(&document).into_iter().take(30).collect();
        let fewer: Vec<_> = all.iter().step_by(2).cloned().chain(["absent".to_owned()]).collect();
        for (comments, prefixes) in [(false, all), (true, fewer)] {
            listed += prefixes.len();
            let form = Form { comments, prefixes, ..whole() };
            let Ok(ours) = canonical_form(&document, &form) else { continue };
            let theirs =
                libxml2.canonical(&document, &form).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
            assert!(ours == theirs, "{}: other octets with {:?}", path.display(), form.prefixes);
            same += 1;
        }
    }
    assert!(same > 2000 && listed > 5000, "only {same} comparisons of {listed} prefixes");
}

#[test]
fn generated_aggregates_are_canonicalised_as_xmllint_does() {
    let test = "generated_aggregates_are_canonicalised_as_xmllint_does";
    if !peers(test, &["xmllint"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("aggregate.xml");
    for size in [20_000, 3 << 20] {
        aggregate::write(&path, size).unwrap();
        let plain = fs::read(&path).unwrap();
        assert_eq!(Some(canonical_form(&plain, &whole()).unwrap()), xmllint(&path), "plain, {size} bytes");
        let odd = quirks::with_quirks(str::from_utf8(&plain).unwrap());
        assert_ne!(odd.len(), plain.len());
        fs::write(&path, &odd).unwrap();
        assert_eq!(
            Some(canonical_form(odd.as_bytes(), &whole()).unwrap()),
            xmllint(&path),
            "odd, {size} bytes"
        );
    }
}

/// The canonical form of the first element that is picked, in its place in the document.
fn element(document: &[u8], form: &Form, pick: impl Fn(StartTag<'_>) -> bool) -> Vec<u8> {
    let mut reader = Reader::new(document, Limits::default());
    let mut canonicalizer = Canonicalizer::new(Vec::new(), form.clone());
    let mut within = None;
    while let Some(event) = reader.next().unwrap() {
        match &event {
            Event::Start(tag) if within.is_none() && pick(*tag) => within = Some(tag.depth()),
            Event::End(tag) if within == Some(tag.depth()) => {
                canonicalizer.event(&event);
                return canonicalizer.finish();
            }
            _ => {}
        }
        if within.is_some() {
            canonicalizer.event(&event);
        }
    }
    panic!("there is no such element");
}

const PART: &str = "an XPath node set that is no whole element: such transforms are refused (dsig.transform)";
const DTD: &str = "a DOCTYPE with default attributes: refused (xml.doctype)";

/// Merlin Hughes' vectors of exclusive canonicalization, as libxml2 carries them, and libxml2's own. Empty where our form
/// has the expected octets, or why it cannot.
const VECTORS: &[(&str, &str)] = &[
    ("merlin-c14n-two-09", ""),
    ("merlin-c14n-two-10", ""),
    ("merlin-c14n-two-11", ""),
    ("merlin-c14n-two-12", PART),
    ("merlin-c14n-two-13", PART),
    ("merlin-c14n-two-14", PART),
    ("merlin-c14n-two-15", PART),
    ("merlin-c14n-two-16", PART),
    ("merlin-c14n-two-17", PART),
    ("merlin-c14n-two-18", ""),
    ("merlin-c14n-two-19", PART),
    ("merlin-c14n-two-20", PART),
    ("merlin-c14n-two-21", PART),
    ("merlin-c14n-two-22", PART),
    ("merlin-c14n-two-23", PART),
    ("merlin-c14n-two-24", PART),
    ("merlin-c14n-two-25", PART),
    ("merlin-c14n-two-26", PART),
    ("test-0", DTD),
    ("test-1", DTD),
    ("test-2", ""),
];

fn is_picked(tag: StartTag<'_>) -> bool {
    tag.is("http://example.org/bar", "Something") || tag.is(xml::dsig::NS, "SignedInfo")
}

#[test]
fn published_vectors_of_exclusive_canonicalization() {
    let Some(corpus) = corpus("published_vectors_of_exclusive_canonicalization") else { return };
    let folder = corpus.join("saml/xmldsig/libxml2-c14n");
    let there = files(&folder.join("test/exc-without-comments"), ".xml").len();
    assert_eq!(there, VECTORS.len(), "a vector is not in the table");
    for (name, why_not) in VECTORS {
        let input = folder.join("test/exc-without-comments").join(name);
        let document = fs::read(input.with_extension("xml")).unwrap();
        if *why_not == DTD {
            let fault = canonical_form(&document, &whole()).unwrap_err();
            assert_eq!(fault.code(), &xml::DOCTYPE, "{name}");
            continue;
        }
        let listed = fs::read_to_string(input.with_extension("ns")).unwrap_or_default();
        let prefixes = listed.split_whitespace().map(str::to_owned).collect();
        let ours = element(&document, &Form { prefixes, ..Form::default() }, is_picked);
        // an empty result has no file
        let expected = fs::read(folder.join("result/exc-without-comments").join(name)).unwrap_or_default();
        assert_eq!(ours == expected, why_not.is_empty(), "{name}: {}", String::from_utf8_lossy(&ours));
    }
}

/// The same node sets again in Merlin's own signature: what is digested, reference by reference. 0 to 8 are inclusive
/// canonicalization and refused for it; 9 and 18 are whole elements, and what 11 leaves out, exclusive
/// canonicalization leaves out too; of the others see [`PART`].
#[test]
fn merlins_digest_inputs() {
    let Some(corpus) = corpus("merlins_digest_inputs") else { return };
    let folder = corpus.join("saml/xmldsig/xmlsec/merlin-c14n-three");
    let document = fs::read(folder.join("signature.xml")).unwrap();
    let same = (9..27).filter(|number| {
        let prefixes = if *number < 18 { Vec::new() } else { vec!["#default".to_owned()] };
        let ours = element(&document, &Form { prefixes, ..Form::default() }, is_picked);
        ours == fs::read(folder.join(format!("c14n-{number}.txt"))).unwrap()
    });
    assert_eq!(same.collect::<Vec<_>>(), [9, 11, 18]);
}

/// Merlin's exc-c14n-one: four digests of one element, with comments and without, with inclusive prefixes and without.
#[test]
fn merlins_exclusive_digests() {
    let test = "merlins_exclusive_digests";
    let Some(corpus) = corpus(test) else { return };
    if !peers(test, &["openssl"]) {
        return;
    }
    let document =
        fs::read(corpus.join("saml/xmldsig/xmlsec/merlin-exc-c14n-one/exc-signature.xml")).unwrap();
    let source = str::from_utf8(&document).unwrap();
    let claimed: Vec<_> =
        source.split("DigestValue>").skip(1).step_by(2).map(|rest| rest.split('<').next()).collect();
    let listed = vec!["bar".to_owned(), "#default".to_owned()];
    let forms = [(false, vec![]), (false, listed.clone()), (true, vec![]), (true, listed)];
    assert_eq!(claimed.len(), forms.len());
    for ((comments, prefixes), claimed) in forms.into_iter().zip(claimed) {
        let form = Form { comments, prefixes, ..Form::default() };
        let ours = element(&document, &form, |tag| tag.attribute("Id") == Some("to-be-signed"));
        let digest = "openssl dgst -sha1 -binary | openssl base64 -A";
        let mut openssl = Command::new("sh")
            .args(["-c", digest])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        openssl.stdin.take().unwrap().write_all(&ours).unwrap();
        let output = openssl.wait_with_output().unwrap();
        assert_eq!(Some(str::from_utf8(&output.stdout).unwrap()), claimed, "{form:?}");
    }
}
