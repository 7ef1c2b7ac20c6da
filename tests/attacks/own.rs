//! Our own attacks: every one is made from a document that we signed ourselves, and that verifies as it is.

use serde_json::json;

use super::{Signed, between, verify};

const EVIL: &str = "<EntityDescriptor entityID='https://evil.example'/>";

/// A root of the attacker's, with this attribute and content.
fn evil(id: &str, content: &str) -> String {
    format!(
        "<EntitiesDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata' {id}>{content}</EntitiesDescriptor>"
    )
}

/// The eight wrappings of "On Breaking SAML" (Somorovsky and others, 2012), for metadata.
#[test]
fn wrapped_signatures() {
    let s = Signed::new();
    let (sig, signed, bare, id) = (&s.signature, Signed::root(&s.whole), Signed::root(&s.bare), &s.id);
    let extensions = |inner: &str| format!("<Extensions>{inner}</Extensions>");
    let object = |inner: &str| {
        sig.replace("</ds:Signature>", &format!("<ds:Object>{inner}</ds:Object></ds:Signature>"))
    };
    let nameless = bare.replace(&format!(" ID=\"{id}\""), "");
    let same = format!("ID='{id}'");
    s.expect(&[
        (
            "1: the original behind its signature",
            evil("ID='e'", &format!("{sig}{bare}{EVIL}")),
            "dsig.reference",
        ),
        ("2: before its signature", evil("ID='e'", &format!("{bare}{sig}{EVIL}")), "dsig.position"),
        ("3: signed inside an unsigned root", evil("ID='e'", &format!("{signed}{EVIL}")), "dsig.missing"),
        ("4: behind an evil entity", evil("", &format!("{EVIL}{signed}")), "dsig.missing"),
        ("5: in extensions", evil("ID='e'", &format!("{sig}{}{EVIL}", extensions(&bare))), "dsig.reference"),
        (
            "6: in an object of the signature",
            evil("ID='e'", &format!("{}{EVIL}", object(&bare))),
            "dsig.reference",
        ),
        ("6: with the same ID", evil(&same, &format!("{}{EVIL}", object(&bare))), "dsig.grammar"),
        (
            "7: in extensions, with the same ID",
            evil(&same, &format!("{sig}{}{EVIL}", extensions(&bare))),
            "dsig.id",
        ),
        (
            "8: in an object, without its ID",
            evil(&same, &format!("{}{EVIL}", object(&nameless))),
            "dsig.grammar",
        ),
        ("the ID taken over", evil(&same, &format!("{sig}{nameless}{EVIL}")), "verify.altered"),
        ("signed in extensions", evil("ID='e'", &extensions(&signed)), "dsig.missing"),
        (
            "a child signed, and the root by somebody else",
            evil("ID='e'", &format!("{}{signed}", between(&s.foreign, "<ds:Signature ", "</ds:Signature>"))),
            "dsig.reference",
        ),
        ("signed by somebody else", s.foreign.clone(), "verify.untrusted"),
    ]);
}

#[test]
fn ambiguous_ids() {
    let s = Signed::new();
    let id = &s.id;
    let child = |attribute: &str| s.ending(&EVIL.replace("/>", &format!(" {attribute}='{id}'/>")));
    let own = format!(" ID=\"{id}\"");
    s.expect(&[
        ("ID", child("ID"), "dsig.id"),
        ("Id", child("Id"), "dsig.id"),
        ("id", child("id"), "dsig.id"),
        ("iD", child("iD"), "dsig.id"),
        ("xml:id", child("xml:id"), "dsig.id"),
        (
            "the signature's own Id",
            s.with("<ds:Signature ", &format!("<ds:Signature Id=\"{id}\" ")),
            "dsig.id",
        ),
        ("of the KeyInfo", s.with("<ds:KeyInfo>", &format!("<ds:KeyInfo Id=\"{id}\">")), "dsig.id"),
        ("two children", s.ending("<a xmlns='urn:a' ID='x'/><a xmlns='urn:a' ID='x'/>"), "dsig.id"),
        ("the root twice", s.with(&own, &format!("{own}{own}")), "xml.malformed"),
        ("the root's in another case", s.with(&own, &own.replace("ID", "Id")), "dsig.id"),
        ("the root's in a namespace", s.with(&own, &format!(" xmlns:m='urn:m' m:ID='{id}'")), "dsig.id"),
        ("none", s.with(&own, ""), "dsig.id"),
        ("an XPointer", s.with(&own, " ID='xpointer(/)'"), "dsig.id"),
    ]);
}

#[test]
fn moved_and_doubled_signatures() {
    let s = Signed::new();
    let (sig, end) = (&s.signature, "</EntitiesDescriptor>");
    let bare = |from: &str, to: &str| s.bare.replacen(from, to, 1);
    s.expect(&[
        ("none", s.bare.clone(), "dsig.missing"),
        ("at the end", bare(end, &format!("{sig}{end}")), "dsig.position"),
        (
            "second child",
            bare("<EntityDescriptor", &format!("<Extensions/>{sig}<EntityDescriptor")),
            "dsig.position",
        ),
        (
            "one level down",
            bare("<EntityDescriptor", &format!("<Extensions>{sig}</Extensions><EntityDescriptor")),
            "dsig.missing",
        ),
        ("twice in a row", s.with(sig, &format!("{sig}{sig}")), "dsig.several"),
        ("twice, apart", s.ending(sig), "dsig.several"),
        (
            "around the root",
            format!("{}{}</ds:Signature>", sig.trim_end_matches("</ds:Signature>"), Signed::root(&s.bare)),
            "dsig.missing",
        ),
        ("inside itself", s.with("<ds:SignedInfo>", &format!("{sig}<ds:SignedInfo>")), "dsig.grammar"),
        (
            "in front of the root",
            s.bare.replacen("<EntitiesDescriptor", &format!("{sig}<EntitiesDescriptor"), 1),
            "xml.malformed",
        ),
        (
            "without content",
            s.with(sig, "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'/>"),
            "dsig.grammar",
        ),
    ]);
}

#[test]
fn other_signed_infos() {
    let s = Signed::new();
    let info = between(&s.signature, "<ds:SignedInfo>", "</ds:SignedInfo>");
    let reference = between(&info, "<ds:Reference ", "</ds:Reference>");
    let value = between(&s.signature, "<ds:SignatureValue>", "</ds:SignatureValue>");
    let digest = between(&info, "<ds:DigestValue>", "</ds:DigestValue>");
    let uri = format!("URI=\"#{}\"", s.id);
    let other = reference.replace(&s.id, "other");
    let method = "xmldsig-more#ecdsa-sha384\">";
    let cut = digest.replacen("<ds:DigestValue>", "<ds:DigestValue><!-- -->", 1);
    s.expect(&[
        ("two of them", s.with(&info, &format!("{info}{info}")), "dsig.grammar"),
        (
            "the second wrapped",
            s.with(&info, &format!("<ds:Object>{info}</ds:Object>{info}")),
            "dsig.grammar",
        ),
        ("two references", s.with(&reference, &format!("{reference}{other}")), "dsig.reference"),
        ("the other one first", s.with(&reference, &format!("{other}{reference}")), "dsig.reference"),
        ("no reference", s.with(&reference, ""), "dsig.reference"),
        ("of a child", s.with(&uri, "URI=\"#child\""), "dsig.reference"),
        ("of the whole document", s.with(&uri, "URI=\"\""), "verify.untrusted"),
        ("of another file", s.with(&uri, "URI=\"https://evil.example/\""), "dsig.reference"),
        ("by XPointer", s.with(&uri, &format!("URI=\"#xpointer(id('{}'))\"", s.id)), "dsig.reference"),
        ("of nothing", s.with(&format!(" {uri}"), ""), "dsig.grammar"),
        (
            "a manifest",
            s.with(&uri, &format!("{uri} Type=\"http://www.w3.org/2000/09/xmldsig#Manifest\"")),
            "dsig.grammar",
        ),
        ("a comment in the digest", s.with(&digest, &cut), "dsig.grammar"),
        ("an instruction in it", s.with(&digest, &cut.replace("<!-- -->", "<?p?>")), "dsig.grammar"),
        ("an element in it", s.with(&digest, &cut.replace("<!-- -->", "<ds:x/>")), "dsig.grammar"),
        ("an empty digest", s.with(&digest, "<ds:DigestValue></ds:DigestValue>"), "dsig.base64"),
        ("two digests", s.with(&digest, &format!("{digest}{digest}")), "dsig.grammar"),
        (
            "a carriage return in the digest",
            s.with("</ds:DigestValue>", "&#13;\n</ds:DigestValue>"),
            "verify.untrusted",
        ),
        ("white space in it", s.with("</ds:DigestValue>", " </ds:DigestValue>"), "verify.untrusted"),
        ("an empty value", s.with(&value, "<ds:SignatureValue/>"), "dsig.base64"),
        ("two values", s.with(&value, &format!("{value}{value}")), "dsig.grammar"),
        (
            "zeros",
            s.with(&value, &format!("<ds:SignatureValue>{}</ds:SignatureValue>", "A".repeat(128))),
            "verify.untrusted",
        ),
        ("too short", s.with(&value, "<ds:SignatureValue>AAAA</ds:SignatureValue>"), "verify.untrusted"),
        ("not strict", s.with("</ds:SignatureValue>", "!</ds:SignatureValue>"), "dsig.base64"),
        ("HMAC with the public key", s.with(method, "xmldsig-more#hmac-sha256\">"), "verify.algorithm"),
        (
            "of 8 bits",
            s.with(method, &format!("{method}<ds:HMACOutputLength>8</ds:HMACOutputLength>")),
            "dsig.grammar",
        ),
        ("RSA with an elliptic key", s.with(method, "xmldsig-more#rsa-sha384\">"), "verify.untrusted"),
        ("ECDSA with SHA-1", s.with(method, "xmldsig-more#ecdsa-sha1\">"), "verify.algorithm"),
        ("ECDSA with SHA-512", s.with(method, "xmldsig-more#ecdsa-sha512\">"), "verify.algorithm"),
        ("an unknown one", s.with(method, "none\">"), "verify.algorithm"),
        ("a digest by SHA-1", s.with("xmlenc#sha256", "../../2000/09/xmldsig#sha1"), "dsig.algorithm"),
        ("by another SHA-2", s.with("xmlenc#sha256", "xmlenc#sha512"), "verify.untrusted"),
    ]);
}

#[test]
fn transforms_and_canonicalizations() {
    let s = Signed::new();
    let transform =
        |uri: &str, inner: &str| format!("<ds:Transform Algorithm=\"{uri}\">{inner}</ds:Transform>");
    let exclusive = transform("http://www.w3.org/2001/10/xml-exc-c14n#", "");
    let enveloped = transform("http://www.w3.org/2000/09/xmldsig#enveloped-signature", "");
    let xpath = transform("http://www.w3.org/TR/1999/REC-xpath-19991116", "<ds:XPath>not(//*)</ds:XPath>");
    let xslt = transform("http://www.w3.org/TR/1999/REC-xslt-19991116", "<x:stylesheet xmlns:x='urn:x'/>");
    let base64 = transform("http://www.w3.org/2000/09/xmldsig#base64", "");
    let inclusive = transform("http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "");
    let listed = |namespace: &str, list: &str| {
        let inner = format!("<i:InclusiveNamespaces xmlns:i='{namespace}' PrefixList='{list}'/>");
        transform("http://www.w3.org/2001/10/xml-exc-c14n#", &inner)
    };
    let own = "http://www.w3.org/2001/10/xml-exc-c14n#";
    let many = "a ".repeat(600_000);
    let with = |to: String| s.with(&format!("{enveloped}{exclusive}"), &to);
    s.expect(&[
        ("swapped", with(format!("{exclusive}{enveloped}")), "dsig.transform"),
        ("only the first", with(enveloped.clone()), "dsig.transform"),
        ("only the second", with(exclusive.clone()), "dsig.transform"),
        ("none", with(String::new()), "dsig.transform"),
        ("doubled", with(format!("{enveloped}{exclusive}{exclusive}")), "dsig.transform"),
        ("XPath", with(format!("{enveloped}{xpath}{exclusive}")), "dsig.transform"),
        ("XSLT first", with(format!("{xslt}{enveloped}{exclusive}")), "dsig.transform"),
        ("XSLT last", with(format!("{enveloped}{exclusive}{xslt}")), "dsig.transform"),
        ("base64", with(format!("{base64}{exclusive}")), "dsig.transform"),
        ("inclusive", with(format!("{enveloped}{inclusive}")), "dsig.transform"),
        (
            "hidden in a transform",
            s.with(&exclusive, &exclusive.replace("></", "><ds:x/></")),
            "dsig.grammar",
        ),
        (
            "inclusive prefixes",
            with(format!("{enveloped}{}", listed(own, "md #default"))),
            "verify.untrusted",
        ),
        ("of another namespace", with(format!("{enveloped}{}", listed("urn:x", "md"))), "dsig.grammar"),
        ("a list that is too long", with(format!("{enveloped}{}", listed(own, &many))), "xml.limit"),
        (
            "of SignedInfo",
            s.with(
                "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">",
                "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\">",
            ),
            "dsig.transform",
        ),
        (
            "with comments, in their place",
            s.with("xml-exc-c14n#", "xml-exc-c14n#WithComments"),
            "verify.untrusted",
        ),
    ]);
}

#[test]
fn names_bound_to_something_else() {
    let s = Signed::new();
    let md = "xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\"";
    let ds = "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"";
    s.expect(&[
        (
            "the signature's prefix",
            s.with(ds, "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig\""),
            "dsig.missing",
        ),
        (
            "the prefix of a part of it",
            s.with("<ds:SignedInfo>", "<ds:SignedInfo xmlns:ds=\"urn:x\">"),
            "dsig.grammar",
        ),
        ("metadata", s.with(md, "xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata#\""), "saml.root"),
        ("the root's local name", s.whole.replace("EntitiesDescriptor", "EntitiesDescript0r"), "saml.root"),
        (
            "the namespace of an entity",
            s.with("<EntityDescriptor ", "<EntityDescriptor xmlns='urn:x' "),
            "verify.altered",
        ),
        ("no namespace", s.with("<EntityDescriptor ", "<EntityDescriptor xmlns='' "), "verify.altered"),
        (
            "another prefix",
            s.with(
                "<EntityDescriptor ",
                "<md:EntityDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata' ",
            )
            .replacen("</EntityDescriptor>", "</md:EntityDescriptor>", 1),
            "verify.altered",
        ),
        ("an undeclared prefix", s.with("<EntityDescriptor ", "<EntityDescriptor p:a='' "), "xml.namespace"),
        (
            "xmlns itself",
            s.with("<EntityDescriptor ", "<EntityDescriptor xmlns:xmlns='urn:x' "),
            "xml.namespace",
        ),
        ("xml", s.with("<EntityDescriptor ", "<EntityDescriptor xmlns:xml='urn:x' "), "xml.namespace"),
        (
            "a relative name",
            s.with("<EntityDescriptor ", "<EntityDescriptor xmlns:p='../x' "),
            "xml.namespace",
        ),
        (
            "one attribute by two prefixes",
            s.with("<EntityDescriptor ", "<EntityDescriptor xmlns:a='urn:x' xmlns:b='urn:x' a:c='' b:c='' "),
            "xml.malformed",
        ),
    ]);
    // what changes no name changes nothing
    assert_eq!(s.verdict(s.with("<EntityDescriptor ", "<EntityDescriptor xmlns:unused='urn:x' ")), "good");
}

#[test]
fn changed_content() {
    let s = Signed::new();
    let south = "https://wiki.south.example/sp";
    let entity = between(&s.whole, "<EntityDescriptor ", "</EntityDescriptor>");
    let until = between(&s.whole, "validUntil=\"", "Z\"");
    s.expect(&[
        ("a lookalike", s.with(south, "https://wiki.s\u{43e}uth.example/sp"), "verify.altered"),
        ("an entity more", s.ending(EVIL), "verify.altered"),
        ("an entity less", s.with(&entity, ""), "verify.altered"),
        ("an entity twice", s.with(&entity, &format!("{entity}{entity}")), "verify.altered"),
        ("a later end", s.with(&until, "validUntil=\"2999-01-01T00:00:00Z\""), "verify.altered"),
        ("no end", s.with(&until, ""), "verify.altered"),
        (
            "an attribute more",
            s.with("<EntityDescriptor ", "<EntityDescriptor xml:lang='en' "),
            "verify.altered",
        ),
        ("white space", s.ending(" "), "verify.altered"),
        (
            "an instruction in an entity",
            s.with("</EntityDescriptor>", "<?p?></EntityDescriptor>"),
            "verify.altered",
        ),
        ("a reference for a tab", s.with(south, &format!("{south}&#9;")), "verify.altered"),
        ("text in the root", s.ending("text"), "verify.altered"),
        ("20 MB of text", s.ending(&"x".repeat(20 << 20)), "verify.altered"),
    ]);
}

#[test]
fn what_is_not_xml_or_too_much_of_it() {
    let s = Signed::new();
    let doctype = |subset: &str| s.with("?>", &format!("?><!DOCTYPE EntitiesDescriptor {subset}>"));
    let bomb = "[<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]";
    let entity = |attributes: &str| s.with("<EntityDescriptor ", &format!("<EntityDescriptor {attributes} "));
    let many = |count: usize, one: fn(usize) -> String| (0..count).map(one).collect::<String>();
    let half = s.whole.len() / 2;
    let half = (half..half + 4).find(|at| s.whole.is_char_boundary(*at)).unwrap();
    s.expect(&[
        ("an entity bomb", doctype(bomb), "xml.doctype"),
        ("an external entity", doctype("[<!ENTITY x SYSTEM 'file:///etc/passwd'>]"), "xml.doctype"),
        ("an external subset", doctype("SYSTEM 'https://evil.example/x.dtd'"), "xml.doctype"),
        ("a default ID", doctype("[<!ATTLIST EntityDescriptor ID CDATA 'x'>]"), "xml.doctype"),
        ("an unknown entity", s.ending("&x;"), "xml.entity"),
        (
            "300 levels",
            s.ending(&format!("{}{}", "<Extensions>".repeat(300), "</Extensions>".repeat(300))),
            "xml.limit",
        ),
        ("a giant attribute", entity(&format!("a='{}'", "x".repeat(2 << 20))), "xml.limit"),
        ("a giant name", s.ending(&format!("<{}/>", "n".repeat(4096))), "xml.limit"),
        ("a giant comment", s.ending(&format!("<!--{}-->", "x".repeat(2 << 20))), "xml.limit"),
        ("2,000 attributes", entity(&many(2000, |n| format!("a{n}='' "))), "xml.limit"),
        ("2,000 namespaces", entity(&many(2000, |n| format!("xmlns:a{n}='urn:{n}' "))), "xml.limit"),
        (
            "a signature far down",
            s.with(
                "<ds:Signature ",
                &format!("{}<ds:Signature ", many(20, |_| format!("<!--{}-->", "x".repeat(1 << 19)))),
            ),
            "xml.limit",
        ),
        ("cut in the middle", s.whole[..half].to_owned(), "xml.malformed"),
        ("cut in the signature", s.whole[..s.whole.find("<ds:KeyInfo").unwrap()].to_owned(), "xml.malformed"),
        (
            "cut at its last byte",
            s.whole.trim_end()[..s.whole.trim_end().len() - 1].to_owned(),
            "xml.malformed",
        ),
        ("nothing", String::new(), "xml.malformed"),
        ("two documents", format!("{0}{0}", s.whole), "xml.malformed"),
        ("a second root", format!("{}<x/>", s.whole), "xml.malformed"),
        ("text behind", format!("{}x", s.whole), "xml.malformed"),
        ("a NUL behind", format!("{}\0", s.whole), "xml.malformed"),
        ("a NUL inside", s.ending("\0"), "xml.malformed"),
        ("a reference to NUL", s.ending("&#0;"), "xml.malformed"),
        ("half a surrogate", s.ending("&#xD800;"), "xml.malformed"),
        ("XML 1.1", s.with("version=\"1.0\"", "version=\"1.1\""), "xml.malformed"),
        ("another encoding", s.with("encoding=\"UTF-8\"", "encoding=\"ISO-8859-1\""), "xml.encoding"),
        ("text before", format!("x{}", s.whole), "xml.malformed"),
    ]);
    let utf16: Vec<u8> =
        "\u{feff}".chars().chain(s.whole.chars()).map(|c| c as u16).flat_map(u16::to_le_bytes).collect();
    assert_eq!(s.verdict(utf16), "xml.encoding");
    let mut bytes = s.ending("xy").into_bytes();
    let at = bytes.windows(2).rposition(|pair| pair == b"xy").unwrap();
    for overlong in [[0xc0, 0xaf], [0xff, 0xfe], [0xe2, 0x82]] {
        bytes[at..at + 2].copy_from_slice(&overlong);
        assert_eq!(s.verdict(bytes.clone()), "xml.encoding", "{overlong:x?}");
    }
}

/// No signature covers what stands in KeyInfo: it tells of a key, and holds nothing else.
#[test]
fn what_hides_in_key_info() {
    let s = Signed::new();
    let with = |inner: &str| s.with("</ds:KeyInfo>", &format!("{inner}</ds:KeyInfo>"));
    let metadata =
        EVIL.replace("<EntityDescriptor ", "<EntityDescriptor xmlns='urn:oasis:names:tc:SAML:2.0:metadata' ");
    s.expect(&[
        ("an entity", with(&metadata), "dsig.grammar"),
        ("an object", with(&format!("<ds:Object>{metadata}</ds:Object>")), "dsig.grammar"),
        ("an empty object", with("<ds:X509Data><ds:Object/></ds:X509Data>"), "dsig.grammar"),
        ("deep in it", with(&format!("<ds:KeyValue>{metadata}</ds:KeyValue>")), "dsig.grammar"),
        ("of no namespace", with("<key xmlns=''/>"), "dsig.grammar"),
        ("text", with("unsigned text"), "dsig.grammar"),
        ("text beside a value", with("<ds:X509Data><ds:X509SKI>AAAA</ds:X509SKI>more</ds:X509Data>"), "dsig.grammar"),
        ("an attribute", with("<ds:KeyName entityID='https://evil.example'>n</ds:KeyName>"), "dsig.grammar"),
        ("another signature", with("<ds:Signature/>"), "dsig.grammar"),
        ("a manifest", with("<ds:Manifest/>"), "dsig.grammar"),
        ("an address", with("<ds:RetrievalMethod URI='#k'/>"), "dsig.grammar"),
        ("another KeyInfo", with("<ds:KeyInfo/>"), "dsig.grammar"),
        ("of no element of its namespace", with("<ds:KeyValue><x:E xmlns:x='http://www.w3.org/2009/xmldsig11#'/></ds:KeyValue>"), "dsig.grammar"),
        ("a name and a value", with("<ds:KeyName>n</ds:KeyName> <ds:KeyValue><x:ECKeyValue xmlns:x='http://www.w3.org/2009/xmldsig11#'><x:NamedCurve URI='urn:oid:1.3.132.0.34'/><x:PublicKey>AAAA</x:PublicKey></x:ECKeyValue></ds:KeyValue>"), "good"),
    ]);
}

/// A cut at every byte of the first and last kilobytes, and at every hundredth between, is refused.
#[test]
fn cut_documents() {
    let s = Signed::new();
    let whole = s.whole.trim_end().as_bytes();
    let near = |at: &usize| *at < 1000 || *at > whole.len() - 1000 || at.is_multiple_of(100);
    for at in (0..whole.len()).filter(near) {
        assert_ne!(s.verdict(&whole[..at]), "good", "cut at {at}");
    }
}

/// What is not covered may change, and the report says what that is. What the document says of its key decides nothing.
#[test]
fn what_is_not_covered_is_reported() {
    let s = Signed::new();
    let reported = |document: String, name: &str| {
        let verified = verify(document.into_bytes(), &s.trust).unwrap();
        verified.coverage.iter().find(|row| row.0 == name).unwrap().1.clone()
    };
    let info = between(&s.whole, "<ds:KeyInfo>", "</ds:KeyInfo>");
    let theirs = between(&s.foreign, "<ds:KeyInfo>", "</ds:KeyInfo>");
    assert_ne!(info, theirs);
    assert_eq!(s.verdict(s.with(&info, &theirs)), "good");
    assert_eq!(s.verdict(s.with(&info, "")), "good");
    assert_eq!(s.verdict(s.foreign.replacen(&theirs, &info, 1)), "verify.untrusted");
    assert_eq!(s.verdict(s.with("\n</ds:SignatureValue>", "&#13;\n</ds:SignatureValue>")), "good");
    assert_eq!(s.verdict(format!("\u{feff}{}", s.whole)), "good");
    assert_eq!(s.verdict(s.whole.replace('\n', "\r\n").replace("&#13;", "")), "good");
    let around = format!("{}<?pi?><!-- x --><?pi?>\n", s.whole);
    assert_eq!(reported(around.clone(), "instructions_outside"), json!(2));
    assert_eq!(reported(around, "comments_outside"), json!(1));
    assert_eq!(reported(s.ending("<!-- x -->"), "comments_in_values"), json!(0));
    assert_eq!(
        reported(s.whole.clone(), "signature_from_byte"),
        json!(s.whole.find("<ds:Signature ").unwrap())
    );
    assert_eq!(reported(s.whole.clone(), "id"), json!(s.id));
    assert_eq!(reported(s.whole.clone(), "extent"), json!("the root element"));
}
