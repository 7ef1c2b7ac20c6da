//! A private key that strayed into what the program reads, of any kind and at any place: it is refused, and stands nowhere
//! afterwards: not on a terminal, not in the vault, not in the ledger.

use std::fs;

use fedroot::base::bytes::{base64url, from_base64url};
use fedroot::format::jose::{jwk, thumbprint};
use serde_json::{Value, json};

use crate::support::every::{self, DOCUMENTS};
use crate::support::openid::{self, read_key};
use crate::support::{Folder, Ran, files};

/// What must be seen nowhere, as text.
const SECRET: &[u8; 48] = b"the octets of a private key that nobody may see!";

fn marker() -> String {
    base64url(SECRET)
}

/// A private key, as JOSE writes one.
fn private() -> Value {
    let mut key = jwk(&read_key("p384-other").public().unwrap());
    key["d"] = marker().into();
    key
}

/// The same in PEM, as openssl writes one.
fn pem() -> String {
    let body = base64url(SECRET);
    format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
}

/// A trust mark whose header shows the private key that signed it.
fn careless_mark() -> String {
    let header = json!({"alg": "ES384", "typ": "trust-mark+jwt", "kid": "a", "jwk": private()});
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    let (header, claims) = (part(&header), part(&json!({"iss": "https://mark.example.org"})));
    format!("{header}.{claims}.AAAA")
}

/// However else a private key is written.
fn disguises() -> Vec<Value> {
    let mut bare = private();
    for name in ["kty", "crv"] {
        bare.as_object_mut().unwrap().remove(name);
    }
    vec![
        bare,
        json!({"keys": [{"k": marker()}]}),
        json!({"kid": "a", "alg": "HS256", "k": marker()}),
        pem().into(),
        json!({"keys": [private()]}).to_string().into(),
        careless_mark().into(),
    ]
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[track_caller]
fn unseen(what: &str, ran: &Ran) {
    for text in [&ran.stdout, &ran.stderr] {
        let is_seen = [marker().as_bytes(), SECRET].iter().any(|part| holds(text.as_bytes(), part));
        assert!(!is_seen, "{what} repeats a private key:\n{text}");
    }
}

#[track_caller]
fn refused(what: &str, ran: &Ran) {
    unseen(what, ran);
    assert_ne!(ran.code, 0, "{what} is taken:\n{}{}", ran.stdout, ran.stderr);
    assert_ne!(ran.code, 101, "{what}: {}", ran.stderr);
}

/// Every way to put one more value into a document.
fn with_one_more(value: &Value, more: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    match value {
        Value::Object(members) => {
            let mut whole = members.clone();
            whole.insert("stray".into(), more.clone());
            all.push(whole.into());
            for (name, member) in members {
                for other in with_one_more(member, more) {
                    let mut whole = members.clone();
                    whole[name] = other;
                    all.push(whole.into());
                }
            }
        }
        Value::Array(values) => {
            all.push(values.iter().chain([more]).cloned().collect());
            for (place, one) in values.iter().enumerate() {
                for other in with_one_more(one, more) {
                    let mut whole = values.clone();
                    whole[place] = other;
                    all.push(whole.into());
                }
            }
        }
        _ => {}
    }
    all
}

/// What an operator writes for this document, as a value.
fn input(folder: &Folder, document: &str) -> Option<Value> {
    let read = || String::from_utf8(folder.read(document)).unwrap();
    match document.rsplit_once('.')?.1 {
        "toml" => Some(toml::from_str(&read()).unwrap()),
        "json" => Some(serde_json::from_str(&read()).unwrap()),
        _ => None,
    }
}

fn put(folder: &Folder, name: &str, text: impl AsRef<[u8]>) {
    fs::write(folder.path(name), text).unwrap();
}

fn sign(folder: &Folder, kind: &str, document: &str) -> Ran {
    every::sign(folder, kind, document, "out")
}

/// A vault whose line has signed a configuration already: documents of other kinds name it.
fn vault() -> Folder {
    let folder = every::vault("p384", "ES384");
    let configuration = "entity-configuration";
    let ran = every::sign(&folder, configuration, "configuration.json", "entity-configuration.out");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    folder
}

/// Nothing was signed, and neither the vault nor the ledger has it.
fn nowhere(folder: &Folder) {
    assert!(!folder.path("out").exists());
    for path in files(&folder.path("V"), "") {
        let bytes = fs::read(&path).unwrap();
        let is_there = [marker().as_bytes(), SECRET].iter().any(|part| holds(&bytes, part));
        assert!(!is_there, "{}", path.display());
    }
    let shown = folder.good(&["ledger", "show", "--identity", "auditor.key", "--vault", "V"]);
    unseen("the ledger", &shown);
}

#[test]
fn a_private_key_at_any_place_of_a_document_is_refused_and_never_repeated() {
    let folder = vault();
    let mut tried = Vec::new();
    for (kind, document) in DOCUMENTS {
        let Some(good) = input(&folder, document) else { continue };
        for bad in with_one_more(&good, &private()) {
            put(&folder, "bad.json", bad.to_string());
            put(&folder, "bad.toml", toml::to_string(&bad).unwrap());
            for name in ["bad.json", "bad.toml"] {
                refused(&format!("{kind}: {bad} in {name}"), &sign(&folder, kind, name));
            }
        }
        tried.push(kind);
    }
    assert_eq!(tried.len() + 2, DOCUMENTS.len(), "all but a folder and XML: {tried:?}");
    nowhere(&folder);
}

#[test]
fn a_private_key_in_a_file_beside_a_document_is_refused_and_never_repeated() {
    let folder = vault();
    let pem = String::from_utf8(folder.read("p384-other.pem")).unwrap();
    put(&folder, "private.jwk", private().to_string());
    put(&folder, "set.jwk", json!({"keys": [private()]}).to_string());
    for (kind, document) in DOCUMENTS {
        let Some(good) = input(&folder, document).filter(|input| input.get("keys").is_some()) else {
            continue;
        };
        for (name, value) in [
            ("file", "private.jwk".to_owned()),
            ("file", "set.jwk".into()),
            ("file", "p384-other.pem".into()),
            ("jwk", private().to_string()),
            ("pem", private().to_string()),
            ("pem", pem.clone()),
        ] {
            let mut bad = good.clone();
            let mut key = bad["keys"][0].as_object().unwrap().clone();
            key.retain(|name, _| !["file", "jwk", "pem"].contains(&name.as_str()));
            key.insert(name.into(), value.into());
            bad["keys"][0] = key.into();
            put(&folder, "bad.toml", toml::to_string(&bad).unwrap());
            let ran = sign(&folder, kind, "bad.toml");
            let body = pem.lines().nth(1).unwrap();
            assert!(
                !holds(format!("{}{}", ran.stdout, ran.stderr).as_bytes(), body.as_bytes()),
                "{kind} {name}"
            );
            refused(&format!("{kind}: a private key as {name}"), &ran);
        }
    }
    // Statements of others, with a private key among their claims, or in what these quote.
    let within = |value: Value| json!({"metadata": {"x": {"y": value}}});
    let stray = [json!({"jwks": {"keys": [private()]}}), within(json!({"jwks": {"keys": [private()]}}))];
    for more in stray.into_iter().chain(disguises().into_iter().map(within)) {
        put(&folder, "subject.jwt", every::configuration("p384-other", &more));
        refused("a subject's configuration", &sign(&folder, "subordinate-statement", "subordinate.toml"));
        for kind in ["trust-mark", "trust-mark-delegation"] {
            put(&folder, "entity-configuration.out", every::configuration("p384-other", &more));
            let document = DOCUMENTS.iter().find(|(name, _)| *name == kind).unwrap().1;
            refused(kind, &sign(&folder, kind, document));
        }
    }
    put(&folder, "mark.jwt", careless_mark());
    let mut configuration = input(&folder, "configuration.json").unwrap();
    configuration["trust_marks"] = json!(["mark.jwt"]);
    put(&folder, "bad.json", configuration.to_string());
    refused("a careless trust mark", &sign(&folder, "entity-configuration", "bad.json"));
    nowhere(&folder);
}

/// What a typed reader says of a value that it did not expect repeats nothing, whatever stands there.
#[test]
fn what_stands_in_the_wrong_place_is_refused_and_never_repeated() {
    let folder = vault();
    let mut tried = 0;
    for (kind, document) in DOCUMENTS {
        let Some(good) = input(&folder, document) else { continue };
        // A secret that nothing tells from other texts, too, where no text belongs.
        let texts = [("keys", Value::from(marker()))];
        let fields = ["keys", "valid_for", "superiors", "authority_hints"].into_iter();
        let known = fields.flat_map(|field| disguises().into_iter().map(move |bad| (field, bad)));
        for (number, (field, bad)) in known.chain(texts).enumerate() {
            let mut whole = good.clone();
            whole[field] = bad.clone();
            put(&folder, "bad.json", whole.to_string());
            put(&folder, "bad.toml", toml::to_string(&whole).unwrap());
            let name = ["bad.json", "bad.toml"][number % 2];
            refused(&format!("{kind}: {field} = {bad} in {name}"), &sign(&folder, kind, name));
            tried += 1;
        }
        if good["keys"].get(0).is_none() {
            continue;
        }
        for (field, text) in [("line", marker()), ("line", pem()), ("file", pem()), ("use", pem())] {
            let mut whole = good.clone();
            whole["keys"][0][field] = text.into();
            put(&folder, "bad.toml", toml::to_string(&whole).unwrap());
            refused(&format!("{kind}: keys.{field}"), &sign(&folder, kind, "bad.toml"));
        }
    }
    assert!(tried > 300, "{tried}");
    nowhere(&folder);
}

/// What people leave in comments, and beside other words.
#[test]
fn a_private_key_in_a_comment_or_among_words_is_refused_and_never_repeated() {
    let folder = vault();
    let good = String::from_utf8(folder.read("jwks.toml")).unwrap();
    let key = private();
    for bad in [
        format!("{good}# was: {key}\n"),
        format!("{good}kid = 'key {key}'\n"),
        format!("{good}# {};\n", base64url(format!(" {key}").as_bytes())),
    ] {
        put(&folder, "bad.toml", &bad);
        refused(&bad, &sign(&folder, "jwks", "bad.toml"));
    }
    nowhere(&folder);
}

/// A folder's files are nobody's documents: they are listed, and their content is told nowhere.
#[test]
fn a_private_key_in_a_listed_folder_is_not_repeated() {
    let folder = vault();
    put(&folder, "dist/private.jwk", private().to_string());
    unseen("a bundle", &sign(&folder, "bundle", "dist"));
    for name in ["out", "out.jws"] {
        let text = folder.read(name);
        assert!(!holds(&text, marker().as_bytes()), "{name}");
        fs::remove_file(folder.path(name)).unwrap();
    }
    nowhere(&folder);
}

/// What somebody else signed, with a private key among its claims, and trust given as one.
#[test]
fn a_private_key_in_what_is_verified_is_refused_and_never_repeated() {
    let folder = every::vault("p384", "ES384");
    let key = read_key("p384");
    let public = key.public().unwrap();
    let mut tried = 0;
    for (kind, document) in DOCUMENTS {
        let output = format!("{kind}.out");
        let ran = every::sign(&folder, kind, document, &output);
        assert_eq!(ran.code, 0, "{kind}: {}", ran.stderr);
        let good = String::from_utf8(folder.read(&output)).unwrap();
        let Some(typ) = good.split('.').next().and_then(from_base64url) else { continue };
        let typ: Value = serde_json::from_slice(&typ).unwrap();
        let claims = from_base64url(good.split('.').nth(1).unwrap()).unwrap();
        for bad in with_one_more(&serde_json::from_slice(&claims).unwrap(), &private()) {
            let typ = typ["typ"].as_str().unwrap();
            let text = openid::sign(key.as_ref(), &thumbprint(&public), typ, &bad);
            put(&folder, "bad.jwt", text);
            refused(
                &format!("{kind}: {bad}"),
                &folder.fedroot(&["verify", kind, "bad.jwt", "--trust", "all.pub"]),
            );
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
    let stray = json!({"metadata": {"openid_provider": {"jwks": {"keys": [private()]}}}});
    put(&folder, "subject.jwt", every::configuration("p384-other", &stray));
    let chain =
        ["subject.jwt", "subordinate-statement.out", "entity-configuration.out", "--trust", "all.pub"];
    for json in [&[][..], &["--json"]] {
        let verify = [&["verify", "entity-statement"], &chain[..], json].concat();
        refused("a chain", &folder.fedroot(&verify));
    }
    put(&folder, "private.jwks", json!({"keys": [private()]}).to_string());
    put(&folder, "private.jwk", private().to_string());
    let public = String::from_utf8(folder.read("all.pub")).unwrap();
    put(&folder, "both.pem", format!("{}{public}", pem()));
    put(&folder, "careless.jwt", careless_mark());
    for trust in ["private.jwks", "private.jwk", "both.pem", "careless.jwt"] {
        for kind in ["entity-statement", "entity-configuration"] {
            let verify = ["verify", kind, "entity-configuration.out", "--trust", trust];
            let ran = folder.fedroot(&verify);
            refused(trust, &ran);
            if trust != "careless.jwt" || kind == "entity-statement" {
                assert_eq!(ran.code, 3, "{trust} for {kind}: {}", ran.stderr);
            }
        }
    }
    nowhere(&folder);
}
