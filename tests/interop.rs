//! Strangers verify what we sign, and we verify what they sign: xmlsec1, samlsign, the JDK and signxml, each with RSA-SHA256,
//! RSA-SHA384, RSA-SHA512 and ECDSA-SHA384.

use std::fs;
use std::path::Path;

use crate::peers::{jdk, python, samlsign, signxml, xmlsec1};
use crate::support::{Folder, peers};

const MD: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const MORE: &str = "http://www.w3.org/2001/04/xmldsig-more#";
const ENC: &str = "http://www.w3.org/2001/04/xmlenc#";

/// A way to sign: its name with us, the line, the private key of the tests, the profile's digest, and the URIs of signature and
/// digest.
struct Way {
    name: &'static str,
    line: &'static str,
    key: &'static str,
    digest: &'static str,
    method: String,
    digest_method: String,
}

fn ways() -> [Way; 4] {
    let rsa = |name, digest, hash: String| Way {
        name,
        line: "legacy",
        key: "rsa4096.pem",
        digest,
        method: format!("{MORE}rsa-{digest}"),
        digest_method: hash,
    };
    [
        rsa("RSA-SHA256", "sha256", format!("{ENC}sha256")),
        rsa("RSA-SHA384", "sha384", format!("{MORE}sha384")),
        rsa("RSA-SHA512", "sha512", format!("{ENC}sha512")),
        Way {
            name: "ECDSA-SHA384",
            line: "metadata",
            key: "p384.pem",
            digest: "sha384",
            method: format!("{MORE}ecdsa-sha384"),
            digest_method: format!("{MORE}sha384"),
        },
    ]
}

const PEERS: [&str; 4] = ["xmlsec1", "samlsign", "java", "openssl"];

fn present(test: &str) -> bool {
    peers(test, &PEERS) && peers(test, &[python().to_str().unwrap()])
}

/// A vault, and the certificates of its lines.
fn folder() -> Folder {
    let folder = Folder::with_vault();
    for line in ["metadata", "legacy"] {
        let name = format!("example.org/sandbox/{line}");
        let made = folder.good(&["key", "export", &name, "--format", "certificate", "--vault", "V"]);
        fs::write(folder.path(&format!("{line}.crt")), made.stdout).unwrap();
    }
    folder
}

fn ids() -> Vec<String> {
    ["EntitiesDescriptor", "EntityDescriptor"].map(|name| format!("{MD}:{name}")).to_vec()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn strangers_verify_what_we_sign() {
    if !present("strangers_verify_what_we_sign") {
        return;
    }
    let folder = folder();
    // a document, the line that signed it, and whether it is still what was signed
    let mut documents = Vec::new();
    for way in ways() {
        let profile = format!("V/keys/example.org/sandbox/{}/profile.toml", way.line);
        let edit = format!("sed -i 's/digest = .*/digest = \"{}\"/' {profile}", way.digest);
        assert_eq!(folder.shell(&edit).code, 0);
        for input in ["entity.xml", "aggregate.xml"] {
            let output = format!("{}-{input}", way.name);
            let line = format!("example.org/sandbox/{}", way.line);
            let arguments = ["sign", "saml", input, "--key", &line, "--identity", "auditor.key"];
            folder.good(&[&arguments[..], &["--output", &output, "--vault", "V"]].concat());
            let text = String::from_utf8(folder.read(&output)).unwrap();
            assert!(text.contains(&way.method) && text.contains(&way.digest_method), "{output}");
            let changed = folder.path(&format!("changed-{output}"));
            fs::write(&changed, text.replace("north", "nirth")).unwrap();
            documents.push((folder.path(&output), way.line, true));
            documents.push((changed, way.line, false));
        }
    }
    let jobs = |ending: &str| -> Vec<_> {
        let key = |line: &str| shown(&folder.path(&format!("{line}.{ending}")));
        documents.iter().map(|(document, line, _)| vec![shown(document), key(line)]).collect()
    };
    let (java, python) = (jdk("verify", &jobs("pub")), signxml("verify", &jobs("crt")));
    for (((document, line, good), java), python) in documents.iter().zip(java).zip(python) {
        let [public, certificate] = ["pub", "crt"].map(|ending| folder.path(&format!("{line}.{ending}")));
        let verdicts = [
            xmlsec1(document, &public, &ids()),
            samlsign(&["-c", &shown(&certificate), "-f", &shown(document)]).is_some(),
            java == "ok",
            python == "ok",
        ];
        assert_eq!(verdicts, [*good; 4], "{}: {java}, {python}", document.display());
    }
}

/// What a stranger fills in.
fn template(way: &Way, id: &str) -> String {
    let (transforms, exclusive) =
        ("http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/2001/10/xml-exc-c14n#");
    format!(
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\n<ds:SignedInfo>\
         <ds:CanonicalizationMethod Algorithm=\"{exclusive}\"/><ds:SignatureMethod Algorithm=\"{}\"/>\n\
         <ds:Reference URI=\"#{id}\"><ds:Transforms><ds:Transform Algorithm=\"{transforms}\"/>\
         <ds:Transform Algorithm=\"{exclusive}\"/></ds:Transforms><ds:DigestMethod Algorithm=\"{}\"/><ds:DigestValue/>\
         </ds:Reference></ds:SignedInfo><ds:SignatureValue/></ds:Signature>",
        way.method, way.digest_method
    )
}

#[test]
fn we_verify_what_strangers_sign() {
    if !present("we_verify_what_strangers_sign") {
        return;
    }
    let folder = folder();
    let entity = String::from_utf8(folder.read("entity.xml")).unwrap();
    let entity = entity.replacen("entityID=", "ID=\"_theirs\" entityID=", 1);
    fs::write(folder.path("bare.xml"), &entity).unwrap();
    let bare = shown(&folder.path("bare.xml"));
    let (mut java, mut python) = (Vec::new(), Vec::new());
    for way in ways() {
        let at = |name: &str| shown(&folder.path(&format!("{name}-{}.xml", way.name)));
        let (key, certificate) =
            (shown(&folder.path(way.key)), shown(&folder.path(&format!("{}.crt", way.line))));
        let (method, digest) = (way.method.clone(), way.digest_method.clone());
        java.push(vec![bare.clone(), key.clone(), method.clone(), digest.clone(), at("java")]);
        python.push(vec![bare.clone(), key.clone(), certificate.clone(), method, digest, at("signxml")]);
        let samlsigned = samlsign(&[
            "-s",
            "-k",
            &key,
            "-c",
            &certificate,
            "-f",
            &bare,
            "-alg",
            &way.method,
            "-dig",
            &way.digest_method,
        ]);
        fs::write(at("samlsign"), samlsigned.expect("samlsign signs")).unwrap();
        let filled =
            entity.replacen("<md:Extensions>", &format!("{}<md:Extensions>", template(&way, "_theirs")), 1);
        fs::write(folder.path("template.xml"), filled).unwrap();
        let xmlsec1 = format!(
            "xmlsec1 --sign --id-attr:ID {MD}:EntityDescriptor --privkey-pem {} --output {} template.xml",
            way.key,
            at("xmlsec1")
        );
        assert_eq!(folder.shell(&xmlsec1).code, 0);
    }
    assert_eq!(jdk("sign", &java), ["ok"; 4]);
    assert_eq!(signxml("sign", &python), ["ok"; 4]);
    for way in ways() {
        for peer in ["xmlsec1", "samlsign", "java", "signxml"] {
            let document = format!("{peer}-{}.xml", way.name);
            let public = format!("{}.pub", way.line);
            let ran = folder.good(&["verify", "saml", &document, "--trust", &public]);
            assert!(
                ran.stdout.contains(&format!("signed with          {}\n", way.name)),
                "{document}: {}",
                ran.stdout
            );
            let text = String::from_utf8(folder.read(&document)).unwrap();
            fs::write(folder.path("changed.xml"), text.replace("north", "nirth")).unwrap();
            let ran = folder.fedroot(&["verify", "saml", "changed.xml", "--trust", &public, "--json"]);
            assert!(ran.stdout.contains("verify.altered"), "{document}: {}", ran.stdout);
        }
    }
}
