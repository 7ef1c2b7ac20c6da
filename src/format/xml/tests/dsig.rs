//! Signatures: what is built, what is read, and every refusal.

use super::super::dsig::*;
use super::*;
use crate::key::Hash;

const RSA: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";

pub(super) fn verified(input: &[u8]) -> Result<Verified, Fault> {
    verify(input, Limits::default(), |_| Ok(()))
}

fn digested(input: &str) -> Result<Digested, Fault> {
    digest(input.as_bytes(), Limits::default(), Hash::Sha256, |_| Ok(()))
}

const UNSIGNED: &str = "<m:E xmlns:m='urn:m' ID='_1' b='2'  a='1'>\r\n<m:C/>é</m:E>";

/// A signed document, its signature edited.
fn signed(edit: impl Fn(String) -> String) -> String {
    let digest_value = digested(UNSIGNED).unwrap().digest;
    let info = SignedInfo {
        signature_method: RSA,
        digest_method: Hash::Sha256,
        reference_id: "_1",
        digest_value: &digest_value,
    };
    let element = info.signature(&[7; 256], &KeyInfo { certificates: &[&[1, 2, 3]], ..KeyInfo::default() });
    edit(UNSIGNED.replacen('>', &format!(">{element}"), 1))
}

#[track_caller]
fn turned_down(code: &Code, part: &str, from: &str, to: &str) {
    let document = signed(|document| {
        assert!(document.contains(from), "{document}");
        document.replacen(from, to, 1)
    });
    refused(verified(document.as_bytes()), code, part);
}

#[test]
fn what_is_built_is_read_back() {
    let document = signed(|document| document);
    let verified = verified(document.as_bytes()).unwrap();
    assert!(verified.is_intact());
    let Verified { signature, signed_info, digest, octets, id, place } = verified;
    let info = SignedInfo {
        signature_method: RSA,
        digest_method: Hash::Sha256,
        reference_id: "_1",
        digest_value: &digest,
    };
    assert_eq!(signed_info, info.octets());
    assert_eq!((&*signature.signature_method, signature.value), (RSA, vec![7; 256]));
    assert_eq!((&*signature.reference_uri, signature.certificates), ("#_1", vec![vec![1, 2, 3]]));
    let whole = "<m:E xmlns:m=\"urn:m\" ID=\"_1\" a=\"1\" b=\"2\">\n<m:C></m:C>é</m:E>";
    assert_eq!((octets, id.as_deref()), (whole.len() as u64, Some("_1")));
    let [start, end] = [place.start, place.end].map(|at| usize::try_from(at).unwrap());
    assert_eq!(format!("{}{}", &document[..start], &document[end..]), UNSIGNED);
    assert!(document.lines().all(|line| !line.contains("Bw") || line.len() <= 64));
}

#[test]
fn every_digest_has_its_name() {
    for digest in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
        assert_eq!(Hash::from_xml_uri(digest.xml_uri()), Some(digest));
    }
    assert_eq!(Hash::from_xml_uri("http://www.w3.org/2000/09/xmldsig#sha1"), None);
}

#[test]
fn key_info_holds_what_it_is_given() {
    let info = SignedInfo {
        signature_method: "a&b",
        digest_method: Hash::Sha512,
        reference_id: "_1",
        digest_value: &[0],
    };
    let none = info.signature(&[0], &KeyInfo::default());
    assert!(!none.contains("KeyInfo") && none.contains("Algorithm=\"a&amp;b\""));
    let point = KeyValue::Ec { curve: "urn:oid:1.3.132.0.34", point: &[4; 97] };
    let all = info.signature(&[0], &KeyInfo { name: Some("<k>"), value: Some(point), certificates: &[] });
    assert!(
        all.contains("<ds:KeyInfo><ds:KeyName>&lt;k></ds:KeyName><ds:KeyValue><dsig11:ECKeyValue"),
        "{all}"
    );
    read(all.as_bytes(), Limits::default()).unwrap();
    let rsa = KeyValue::Rsa { modulus: &[255; 384], exponent: &[1, 0, 1] };
    let all = info.signature(&[0], &KeyInfo { value: Some(rsa), ..KeyInfo::default() });
    assert!(all.contains("<ds:Exponent>AQAB</ds:Exponent>"), "{all}");
}

#[test]
fn an_old_signature_is_left_out_and_reported() {
    let document = signed(|document| document);
    let old = digested(&document).unwrap();
    let range = old.signature.unwrap();
    let (start, end) = (usize::try_from(range.start).unwrap(), usize::try_from(range.end).unwrap());
    assert_eq!([&document[..start], &document[end..]].concat(), UNSIGNED);
    assert_eq!(old.digest, digested(UNSIGNED).unwrap().digest);
    assert_eq!(old.id.as_deref(), Some("_1"));
    assert_eq!(digested("<a><b/></a>").unwrap().id, None);
}

#[test]
fn a_visitor_sees_all_but_the_signature_and_can_stop() {
    let document = signed(|document| document);
    let mut names = Vec::new();
    verify(document.as_bytes(), Limits::default(), |event| {
        if let Event::Start(tag) = event {
            names.push(tag.name().to_owned());
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(names, ["m:E", "m:C"]);
    refused(digest(&b"<a/>"[..], Limits::default(), Hash::Sha256, |_| Err(ID.fault("stop"))), &ID, "stop");
}

#[test]
fn changed_content_is_not_intact() {
    for (from, to) in [("é", "e"), ("<m:C/>", ""), ("a='1'", "a='2'"), ("\r\n", " ")] {
        assert!(!verified(signed(|document| document.replacen(from, to, 1)).as_bytes()).unwrap().is_intact());
    }
    // what canonicalization levels out is not content
    for (from, to) in [
        ("\r\n<", "\n<"),
        ("b='2'  a='1'", "a='&#x31;' b=\"2\""),
        ("<m:C/>", "<m:C ></m:C >"),
        ("é", "<!---->&#233;"),
    ] {
        let document = signed(|document| document.replacen(from, to, 1));
        assert!(verified(document.as_bytes()).unwrap().is_intact(), "{document}");
    }
}

#[test]
fn wrong_places_and_numbers_are_refused() {
    refused(verified(UNSIGNED.as_bytes()), &MISSING, "");
    refused(verified(b"<a ID='_1'/>"), &MISSING, "");
    refused(verified(b"<a/>"), &MISSING, "");
    turned_down(&POSITION, "not the first child", "<ds:Signature ", "<m:C/><ds:Signature ");
    turned_down(&POSITION, "line 1", "<ds:Signature ", "<m:C/>\r<?p?><ds:Signature ");
    turned_down(&MISSING, "", "<ds:Signature xmlns:ds=\"http", "<ds:Signature xmlns:ds=\"urn:http");
    let signature = signed(|document| document);
    let signature = &signature[signature.find("<ds:Sig").unwrap()..signature.find("\r\n<m:C").unwrap()];
    let twice = UNSIGNED.replacen('>', &format!(">{signature}{signature}"), 1);
    refused(verified(twice.as_bytes()), &SEVERAL, "a second signature");
    refused(digested(&twice), &SEVERAL, "a second signature");
    let late = UNSIGNED.replacen("</m:E>", &format!("{signature}</m:E>"), 1);
    refused(digested(&late), &POSITION, "");
    refused(verified(late.as_bytes()), &POSITION, "");
    // another element's own signature is content
    let nested = UNSIGNED.replace("<m:C/>", &format!("<m:C>{signature}</m:C>"));
    assert_eq!(digested(&nested).unwrap().signature, None);
    refused(verified(nested.as_bytes()), &MISSING, "");
}

#[test]
fn ambiguous_ids_are_refused() {
    turned_down(&ID, "given twice", "<m:C/>", "<m:C ID='_1'/>");
    turned_down(&ID, "given twice", "<m:C/>", "<m:C Id='_1'/>");
    turned_down(&ID, "given twice", "<m:C/>", "<m:C xml:id='_1'/>");
    turned_down(&ID, "given twice", "<m:C/>", "<m:C ID='x'><m:C ID='x'/></m:C>");
    turned_down(&ID, "given twice", "<ds:KeyInfo>", "<ds:KeyInfo Id='_1'>");
    turned_down(&ID, "is no name", "ID='_1'", "ID='xpointer(/)'");
    turned_down(&ID, "no ID", "ID='_1'", "m:ID='_1'");
    refused(digested("<a ID=''/>"), &ID, "is no name");
}

#[test]
fn other_references_and_transforms_are_refused() {
    turned_down(&REFERENCE, "'#_2' is not '#_1'", "URI=\"#_1\"", "URI=\"#_2\"");
    turned_down(&REFERENCE, "'_1' is not", "URI=\"#_1\"", "URI=\"_1\"");
    turned_down(&REFERENCE, "", "URI=\"#_1\"", "URI=\"#xpointer(id('_1'))\"");
    turned_down(&GRAMMAR, "no attribute URI", "URI=\"#_1\"", "");
    turned_down(
        &REFERENCE,
        "Reference where SignatureValue",
        "</ds:Reference>",
        "</ds:Reference><ds:Reference URI=\"#_1\"/>",
    );
    let exclusive = &format!("<ds:Transform Algorithm=\"{EXC_C14N}\"></ds:Transform>");
    let enveloped = &format!("<ds:Transform Algorithm=\"{ENVELOPED}\"></ds:Transform>");
    turned_down(&TRANSFORM, "", exclusive, "");
    turned_down(&TRANSFORM, "first transform", enveloped, "");
    turned_down(&TRANSFORM, "", &format!("{enveloped}{exclusive}"), &format!("{exclusive}{enveloped}"));
    turned_down(&TRANSFORM, "Transform where DigestMethod", exclusive, &format!("{exclusive}{exclusive}"));
    turned_down(&TRANSFORM, "canonicalization", EXC_C14N, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315");
    turned_down(&ALGORITHM, "sha1", Hash::Sha256.xml_uri(), "http://www.w3.org/2000/09/xmldsig#sha1");
}

#[test]
fn other_signature_grammars_are_refused() {
    turned_down(&GRAMMAR, "comment inside", "<ds:DigestValue>", "<ds:DigestValue><!-- -->");
    turned_down(&GRAMMAR, "comment inside", "<ds:KeyInfo>", "<!-- --><ds:KeyInfo>");
    turned_down(&GRAMMAR, "instruction inside", "<ds:SignedInfo>", "<?p?><ds:SignedInfo>");
    turned_down(&GRAMMAR, "Object where", "</ds:Signature>", "<ds:Object/></ds:Signature>");
    turned_down(&GRAMMAR, "Object where SignedInfo", "<ds:SignedInfo>", "<ds:Object/><ds:SignedInfo>");
    turned_down(&GRAMMAR, "SignedInfo where", "</ds:SignedInfo>", "</ds:SignedInfo><ds:SignedInfo/>");
    turned_down(
        &GRAMMAR,
        "SignatureValue where",
        "<ds:KeyInfo>",
        "<ds:SignatureValue>AA==</ds:SignatureValue><ds:KeyInfo>",
    );
    turned_down(&GRAMMAR, "KeyInfo where", "<ds:KeyInfo>", "<ds:KeyInfo></ds:KeyInfo><ds:KeyInfo>");
    turned_down(&GRAMMAR, "has the attribute 'a'", "<ds:SignedInfo>", "<ds:SignedInfo a='1'>");
    turned_down(&GRAMMAR, "the text 'x'", "<ds:SignedInfo>", "<ds:SignedInfo>x");
    turned_down(&GRAMMAR, "the text 'x'", "</ds:SignatureValue>", "</ds:SignatureValue>x");
    turned_down(&GRAMMAR, "the text 'x'", "</ds:KeyInfo>", "</ds:KeyInfo>x");
    turned_down(&GRAMMAR, "no attribute Algorithm", &format!("Algorithm=\"{RSA}\""), "");
    turned_down(&GRAMMAR, "where SignatureMethod was", "ds:SignatureMethod Algorithm", "ds:X Algorithm");
    turned_down(&GRAMMAR, "SignatureValue where SignatureValue", "</ds:SignedInfo>", "");
    let only = UNSIGNED.replacen('>', &format!("><ds:Signature xmlns:ds='{NS}'/>"), 1);
    refused(verified(only.as_bytes()), &GRAMMAR, "has no SignedInfo");
    // inside another element, the next part is not the next part
    turned_down(&GRAMMAR, "", "<ds:DigestValue>", "<ds:DigestValue><ds:SignatureValue/>");
}

#[test]
fn loose_base64_is_refused() {
    for bad in ["", "A", "AA", "AA=", "AB==", "AA==AA==", "A*==", "AA==x", "AA-_", "&#xA0;AA=="] {
        let document = signed(|document| {
            let (head, tail) = document.split_once("<ds:SignatureValue>").unwrap();
            let tail = tail.split_once("</ds:SignatureValue>").unwrap().1;
            format!("{head}<ds:SignatureValue>{bad}</ds:SignatureValue>{tail}")
        });
        refused(verified(document.as_bytes()), &BASE64, "SignatureValue holds no strict base64");
    }
    turned_down(&BASE64, "KeyInfo", "AQID", "AQI");
}

#[test]
fn old_practice_is_let_through() {
    let document = signed(|document| document.replace("#_1", "").replace(EXC_C14N, EXC_C14N_COMMENTS));
    let with = |text: String| verified(text.as_bytes()).unwrap();
    assert!(with(document.clone()).is_intact());
    assert!(!with(format!("<?outside?>{document}")).is_intact());
    assert!(with(format!("<!-- outside -->{document}")).is_intact());
    assert!(with(format!("<?outside?>{}", signed(|document| document))).is_intact());
    // the whole document needs no name
    assert!(!with(document.replace(" ID='_1'", "")).is_intact());
}
