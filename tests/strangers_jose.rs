//! Strangers who speak JOSE agree with us: npm's jose, jwcrypto, cryptojwt, Debian's jose, spiffe and
//! @openid-federation/core take what the program signs, the program takes what they sign, and nobody takes what was changed.

use std::collections::BTreeMap;
use std::fs;

use fedroot::artefact::{KINDS, kind};
use fedroot::base::bytes::{base64url, from_base64url};
use fedroot::base::disk::Document;
use fedroot::format::jose::{Jwk, Jws, jwk};
use fedroot::key::PublicKey;
use serde_json::{Value, json};

use crate::peers::{debian_jose, node, python_jose, speak_jose};
use crate::support::Folder;
use crate::support::every::{self, DOCUMENTS};
use crate::support::federation::statement;
use crate::support::openid::{ANCHOR, SUBJECT};
use crate::support::world::{file, signs, world};

type Jobs = Vec<Vec<String>>;
type Verify = fn(&[Vec<String>]) -> Vec<String>;

/// Who verifies a JWS that holds its payload.
const VERIFIERS: [(&str, Verify); 4] = [
    ("npm jose", |jobs| node("jose_peer.mjs", "verify", jobs)),
    ("jwcrypto", |jobs| python_jose("jwcrypto", "verify", jobs)),
    ("cryptojwt", |jobs| python_jose("cryptojwt", "verify", jobs)),
    ("Debian jose", debian_jose),
];

/// Who understands the JSON serialisation.
const READ_JSON: [&str; 3] = ["npm jose", "jwcrypto", "Debian jose"];

/// Who verifies a detached payload that is not encoded (RFC 7797); the others know no `b64`.
const DETACHED: [(&str, Verify); 2] = [
    ("npm jose", |jobs| node("jose_peer.mjs", "detached", jobs)),
    ("jwcrypto", |jobs| python_jose("jwcrypto", "detached", jobs)),
];

/// The keys of the tests and the ways they sign.
const WAYS: [(&str, &[&str]); 2] =
    [("p384", &["ES384"]), ("rsa4096", &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])];

/// How a kind is signed, as strangers see it.
enum Form {
    /// A JWS in one line.
    Compact,
    /// The same in JSON, in a file beside the document, with the document in it.
    Json,
    /// A JWS without its payload, which is these files beside one another, as endings of the document's name.
    Detached(&'static [&'static str]),
    /// No JOSE at all.
    Other,
}

fn form(kind: &str) -> Form {
    match kind {
        "saml" => Form::Other,
        "oob-keys" => Form::Json,
        "jwks" | "spiffe-bundle" | "bundle" => Form::Detached(&[""]),
        "kubernetes" => Form::Detached(&["", ".openid-configuration"]),
        _ => Form::Compact,
    }
}

fn put(folder: &Folder, name: &str, bytes: impl AsRef<[u8]>) -> String {
    fs::write(folder.path(name), bytes).unwrap();
    folder.path(name).to_str().unwrap().to_owned()
}

fn flipped(mut bytes: Vec<u8>) -> Vec<u8> {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    bytes
}

/// A compact JWS with one bit of its payload changed, and with one of its signature.
fn changed(token: &str) -> [String; 2] {
    let parts: Vec<_> = token.trim_end().split('.').collect();
    let flip = |part: &str| base64url(&flipped(from_base64url(part).unwrap()));
    [
        format!("{}.{}.{}", parts[0], flip(parts[1]), parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], flip(parts[2])),
    ]
}

/// What the line signed, for those who verify it: by who reads it, whether it is as it was signed, and the job.
#[derive(Default)]
struct Questions {
    whole: Vec<(bool, Vec<String>)>,
    json: Vec<(bool, Vec<String>)>,
    detached: Vec<(bool, Vec<String>)>,
}

impl Questions {
    /// Puts the questions about one document, and asks the program itself.
    fn about(&mut self, folder: &Folder, (name, output): (&str, &str), key: &str, alg: &str) {
        let own = std::slice::from_ref(&public(folder)).to_vec();
        match form(name) {
            Form::Other => {}
            Form::Compact => {
                let text = String::from_utf8(folder.read(output)).unwrap();
                assert_eq!(header(&text)["alg"], alg, "{name}");
                self.whole.push((true, vec![put(folder, output, &text), key.to_owned()]));
                for (number, other) in changed(&text).into_iter().enumerate() {
                    let document = Document::from_bytes("changed", other.clone().into_bytes());
                    assert!(kind(name).unwrap().verify(&document, &own).is_err(), "{name} {alg} {number}");
                    let path = put(folder, &format!("{output}.{number}"), other);
                    self.whole.push((false, vec![path, key.to_owned()]));
                }
            }
            Form::Json => {
                let text = folder.read(&format!("{output}.jws"));
                let mut jws: Value = serde_json::from_slice(&text).unwrap();
                self.json.push((true, vec![put(folder, &format!("{output}.jws"), &text), key.to_owned()]));
                for pointer in ["/payload", "/signatures/0/signature"] {
                    let good = jws.pointer(pointer).unwrap().as_str().unwrap().to_owned();
                    *jws.pointer_mut(pointer).unwrap() =
                        base64url(&flipped(from_base64url(&good).unwrap())).into();
                    let path =
                        put(folder, &format!("{output}{}", pointer.replace('/', ".")), jws.to_string());
                    self.json.push((false, vec![path, key.to_owned()]));
                    *jws.pointer_mut(pointer).unwrap() = good.into();
                }
            }
            Form::Detached(endings) => {
                let parts: Vec<u8> =
                    endings.iter().flat_map(|end| folder.read(&format!("{output}{end}"))).collect();
                let jws = folder.path(&format!("{output}.jws")).to_str().unwrap().to_owned();
                let paths = [put(folder, "payload", &parts), put(folder, "payload.0", flipped(parts))];
                for (is_good, path) in [true, false].into_iter().zip(paths) {
                    let kept = put(folder, &format!("{name}.{is_good}"), fs::read(path).unwrap());
                    self.detached.push((is_good, vec![jws.clone(), key.to_owned(), kept]));
                }
                let good = folder.read(output);
                put(folder, output, flipped(good.clone()));
                assert_ne!(folder.fedroot(&verifying(name, output)).code, 0, "{name}");
                put(folder, output, good);
            }
        }
    }

    /// Every verifier says yes to what was signed, and no to what was changed.
    fn ask(&self) {
        for (who, verify) in VERIFIERS {
            agree(who, verify, &self.whole);
            if READ_JSON.contains(&who) {
                agree(who, verify, &self.json);
            }
        }
        for (who, verify) in DETACHED {
            agree(who, verify, &self.detached);
        }
    }
}

fn agree(who: &str, verify: Verify, questions: &[(bool, Vec<String>)]) {
    let jobs: Jobs = questions.iter().map(|(_, job)| job.clone()).collect();
    for ((is_good, job), answer) in questions.iter().zip(verify(&jobs)) {
        assert_eq!(answer == "ok", *is_good, "{who}: {}: {answer}", job[0]);
    }
}

fn header(token: &str) -> Value {
    serde_json::from_slice(&from_base64url(token.split('.').next().unwrap()).unwrap()).unwrap()
}

fn public(folder: &Folder) -> PublicKey {
    PublicKey::from_pem(&String::from_utf8(folder.read("all.pub")).unwrap()).unwrap()
}

/// Where the signed document goes: the list of a folder into the folder.
fn output(kind: &str) -> String {
    if kind == "bundle" { "dist/MANIFEST.sha384".into() } else { format!("{kind}.out") }
}

fn verifying<'a>(kind: &'a str, output: &'a str) -> [&'a str; 5] {
    ["verify", kind, if kind == "bundle" { "dist" } else { output }, "--trust", "all.pub"]
}

/// Signs a document of every kind with the program, and verifies it with the program.
fn signed(key: &str, alg: &str) -> Folder {
    let folder = every::vault(key, alg);
    for (kind, document) in DOCUMENTS {
        let ran = every::sign(&folder, kind, document, &output(kind));
        assert_eq!(ran.code, 0, "{kind} {alg}\n{}{}", ran.stdout, ran.stderr);
        folder.good(&verifying(kind, &output(kind)));
    }
    folder
}

#[test]
fn every_kind_is_known_here() {
    let here: Vec<_> = DOCUMENTS.iter().map(|(kind, _)| *kind).collect();
    // A federation is a folder of documents of these kinds.
    let single: Vec<_> = KINDS.iter().filter(|kind| kind.name() != "federation").collect();
    for kind in &single {
        assert!(here.contains(&kind.name()), "there is no document of the kind {}", kind.name());
    }
    assert_eq!(here.len(), single.len());
}

#[test]
fn strangers_take_every_kind_with_every_algorithm_and_nothing_that_was_changed() {
    if !speak_jose("strangers_take_every_kind_with_every_algorithm_and_nothing_that_was_changed") {
        return;
    }
    let ways = WAYS.iter().flat_map(|(key, algs)| algs.iter().map(move |alg| (*key, *alg)));
    let ways: Vec<_> = ways.collect();
    std::thread::scope(|scope| {
        for half in ways.chunks(ways.len().div_ceil(2)) {
            scope.spawn(move || {
                for (key, alg) in half {
                    let folder = signed(key, alg);
                    let jwk = put(&folder, "all.jwk", jwk(&public(&folder)).to_string());
                    let mut questions = Questions::default();
                    for (kind, _) in DOCUMENTS {
                        questions.about(&folder, (kind, &output(kind)), &jwk, alg);
                    }
                    let counts = [&questions.whole, &questions.json, &questions.detached].map(Vec::len);
                    assert_eq!(counts, [27, 3, 8], "a kind was left out");
                    questions.ask();
                }
            });
        }
    });
}

/// A stranger makes a key, signs the subject's configuration with it, and the line vouches for that key.
#[test]
fn what_strangers_sign_is_taken_and_their_keys_are_vouched_for() {
    if !speak_jose("what_strangers_sign_is_taken_and_their_keys_are_vouched_for") {
        return;
    }
    let folder = every::vault("p384", "ES384");
    assert_eq!(every::sign(&folder, "entity-configuration", "configuration.json", "own.out").code, 0);
    let claims: Value = payload(&every::configuration("p384-other", &json!({})));
    let makers: [(&str, &str, Maker); 3] = [
        ("npm", "ES256 ES384 ES512 EdDSA RS256 RS384 RS512 PS256 PS384 PS512", |jobs| {
            node("jose_peer.mjs", "sign", jobs)
        }),
        ("jwcrypto", "ES256 ES384 ES512 EdDSA RS256 RS384 RS512 PS256 PS384 PS512", |jobs| {
            python_jose("jwcrypto", "sign", jobs)
        }),
        ("debian", "ES256 ES384 ES512 RS256 RS384 RS512 PS256 PS384 PS512", debian_jose_signs),
    ];
    for (who, algs, make) in makers {
        let name = |alg: &str, end: &str| format!("{who}-{alg}.{end}");
        let jobs: Jobs = algs
            .split(' ')
            .map(|alg| {
                let mut own = claims.clone();
                own["iss"] = format!("https://{who}-{}.example.org", alg.to_lowercase()).into();
                own["sub"] = own["iss"].clone();
                let claims = put(&folder, &name(alg, "claims"), own.to_string());
                let [token, key] = ["jwt", "jwk"].map(|end| put(&folder, &name(alg, end), ""));
                vec![alg.to_owned(), claims, "entity-statement+jwt".into(), token, key]
            })
            .collect();
        for (alg, answer) in algs.split(' ').zip(make(&jobs)) {
            assert_eq!(answer, "ok", "{who} {alg}");
            let text = String::from_utf8(folder.read(&name(alg, "jwt"))).unwrap();
            vouched_for(&folder, who, alg, &text);
        }
    }
}

type Maker = fn(&[Vec<String>]) -> Vec<String>;

fn payload(token: &str) -> Value {
    serde_json::from_slice(&from_base64url(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// The library verifies the configuration, and the program vouches for its key; neither when it was changed.
fn vouched_for(folder: &Folder, who: &str, alg: &str, text: &str) {
    let own = payload(text)["jwks"]["keys"][0].clone();
    let own = Jwk::read(&own).unwrap_or_else(|fault| panic!("{who} {alg}: {fault}"));
    assert_eq!(Jws::read(text, &[]).unwrap().verify(&own).unwrap().jose, alg, "{who}");
    let output = format!("{who}-{alg}.out");
    let with = |text: &str| {
        put(folder, "theirs.jwt", text);
        put(folder, "theirs.toml", "configuration = \"theirs.jwt\"\n");
        every::sign(folder, "subordinate-statement", "theirs.toml", &output)
    };
    for other in changed(text) {
        assert!(Jws::read(&other, &[]).unwrap().verify(&own).is_err(), "{who} {alg}");
        if ["ES256", "EdDSA"].contains(&alg) {
            let ran = with(&other);
            assert_ne!(ran.code, 0, "{who} {alg}: {}", ran.stdout);
            assert!(!folder.path(&output).exists());
        }
    }
    let ran = with(text);
    assert_eq!(ran.code, 0, "{who} {alg}\n{}{}", ran.stdout, ran.stderr);
    let statement = payload(&String::from_utf8(folder.read(&output)).unwrap());
    assert_eq!(statement["jwks"], payload(text)["jwks"], "{who} {alg}");
}

/// Debian's `jose` makes a key and signs with it, as `jose_peer.mjs` does.
fn debian_jose_signs(jobs: &[Vec<String>]) -> Vec<String> {
    let sign = |job: &Vec<String>| {
        let [alg, claims, typ, token, jwk] = job.as_slice() else { panic!("five fields") };
        let jose = |arguments: &[&str], input: &str| {
            let mut command = std::process::Command::new("sh");
            let output =
                command.args(["-c", &format!("printf %s \"$0\" | jose {}", arguments.join(" ")), input]);
            let output = output.output().unwrap();
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let private = jose(&["jwk", "gen", "-i-"], &json!({ "alg": alg }).to_string());
        let mut own: Value = serde_json::from_str(&jose(&["jwk", "pub", "-i-"], &private)).unwrap();
        own["kid"] = jose(&["jwk", "thp", "-i-", "-a", "S256"], &private).into();
        let mut payload: Value = serde_json::from_slice(&fs::read(claims).unwrap()).unwrap();
        payload["jwks"] = json!({ "keys": [own] });
        let (content, key) = (format!("{token}.payload"), format!("{token}.private"));
        fs::write(&content, payload.to_string()).unwrap();
        fs::write(&key, private).unwrap();
        let template = json!({"protected": {"alg": alg, "typ": typ, "kid": own["kid"]}}).to_string();
        let signed = jose(&["jws", "sig", "-I", &content, "-k", &key, "-c", "-s-"], &template);
        fs::write(token, signed).unwrap();
        fs::write(jwk, own.to_string()).unwrap();
        "ok".to_owned()
    };
    jobs.iter().map(sign).collect()
}

/// The chain that the program made, served to @openid-federation/core, resolves to what the program says.
#[test]
fn a_stranger_resolves_our_chain_to_the_same_metadata() {
    if !speak_jose("a_stranger_resolves_our_chain_to_the_same_metadata") {
        return;
    }
    for (key, alg) in [("p384", "ES384"), ("rsa4096", "PS256")] {
        let folder = every::vault(key, alg);
        for (kind, document) in &DOCUMENTS[..2] {
            let ran = every::sign(&folder, kind, document, &format!("{kind}.out"));
            assert_eq!(ran.code, 0, "{}", ran.stderr);
        }
        let files = ["subject.jwt", "subordinate-statement.out", "entity-configuration.out"];
        let texts = files.map(|name| String::from_utf8(folder.read(name)).unwrap().trim().to_owned());
        let site = |texts: &[String; 3]| -> BTreeMap<String, String> {
            let addresses = [
                format!("{SUBJECT}/.well-known/openid-federation"),
                format!("{ANCHOR}/fetch?sub={SUBJECT}"),
                format!("{ANCHOR}/.well-known/openid-federation"),
            ];
            addresses.into_iter().zip(texts.clone()).collect()
        };
        let resolve = |texts: &[String; 3]| {
            put(&folder, "site.json", json!(site(texts)).to_string());
            let job = [folder.dir().to_str().unwrap(), SUBJECT, ANCHOR].map(str::to_owned).to_vec();
            node("federation_peer.mjs", "resolve", &[job]).remove(0)
        };
        let theirs = resolve(&texts);
        let theirs: Value = serde_json::from_str(&theirs).unwrap_or_else(|_| panic!("{alg}: {theirs}"));
        let arguments =
            [&["verify", "entity-statement", "--json", "--trust", "all.pub"], &files[..]].concat();
        let ours: Value = serde_json::from_str(&folder.good(&arguments).stdout).unwrap();
        assert_eq!(theirs, ours["metadata"], "{alg}");
        let provider = &theirs["openid_provider"];
        assert_eq!(provider["scopes_supported"], json!(["openid", "email"]), "the policy was applied");
        assert_eq!(provider["contacts"], json!(["soc@ta.example.org"]));
        for place in 0..3 {
            for other in changed(&texts[place]) {
                let mut texts = texts.clone();
                texts[place] = other;
                let answer = resolve(&texts);
                assert!(answer.starts_with("no "), "{alg} {place}: {answer}");
                put(&folder, "changed", &texts[place]);
                let mut arguments = arguments.clone();
                arguments[5 + place] = "changed";
                assert_ne!(folder.fedroot(&arguments).code, 0, "{alg} {place}");
            }
        }
    }
}

/// The same from the tree of a whole federation, whose files stand where its configuration says.
#[test]
fn a_stranger_resolves_every_chain_of_a_tree() {
    if !speak_jose("a_stranger_resolves_every_chain_of_a_tree") {
        return;
    }
    let folder = world(3);
    for number in 1..=3 {
        // It finds no chain at all under a `superset_of` that is kept.
        let text = statement(number).replace("superset_of", "subset_of");
        fs::write(folder.path(&format!("in/subordinates/{number}.toml")), text).unwrap();
    }
    signs(&folder, &[]);
    let anchor = "https://anchor.example.org";
    let text = |path: &str| String::from_utf8(folder.read(path)).unwrap();
    let list: Vec<String> = serde_json::from_str(&text("tree/list")).unwrap();
    assert_eq!(list.len(), 3);
    for (number, subject) in (1..).zip(&list) {
        let leaf = format!("in/subordinates/{number}.jwt");
        let site = |fetched: &str| {
            let addresses = [
                (format!("{subject}/.well-known/openid-federation"), text(&leaf)),
                (format!("{anchor}/fetch?sub={subject}"), text(&file(number))),
                (
                    format!("{anchor}/.well-known/openid-federation"),
                    text("tree/.well-known/openid-federation"),
                ),
            ];
            let mut site: BTreeMap<String, String> = addresses.into_iter().collect();
            if !fetched.is_empty() {
                site.insert(format!("{anchor}/fetch?sub={subject}"), fetched.to_owned());
            }
            put(&folder, "site.json", json!(site).to_string());
            let job = [folder.dir().to_str().unwrap(), subject, anchor].map(str::to_owned).to_vec();
            node("federation_peer.mjs", "resolve", &[job]).remove(0)
        };
        let theirs = site("");
        let theirs: Value = serde_json::from_str(&theirs).unwrap_or_else(|_| panic!("{theirs}"));
        let ours = folder.good(&[
            "verify",
            "entity-statement",
            "--json",
            "--trust",
            "anchor.pub",
            &leaf,
            &file(number),
            "tree/.well-known/openid-federation",
        ]);
        let ours: Value = serde_json::from_str(&ours.stdout).unwrap();
        assert_eq!(theirs, ours["metadata"]);
        // It would take the statement about another; we do not.
        for other in changed(text(&file(number)).trim()) {
            assert!(site(&other).starts_with("no "), "{subject}");
        }
    }
}

/// spiffe reads bundles for one purpose; of a mixed one it refuses the keys for the other (therefore `only`).
#[test]
fn spiffe_reads_our_bundles() {
    if !speak_jose("spiffe_reads_our_bundles") {
        return;
    }
    let folder = every::vault("p384", "ES384");
    let mut paths = BTreeMap::new();
    for name in ["spiffe-x509", "spiffe-jwt", "spiffe"] {
        let output = format!("{name}.json");
        let ran = every::sign(&folder, "spiffe-bundle", &format!("{name}.toml"), &output);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        paths.insert(name, folder.path(&output).to_str().unwrap().to_owned());
    }
    let ask = |act: &str, name: &str, count: &str| {
        let job = vec![paths[name].clone(), "example.org".into(), count.into()];
        python_jose("spiffe", act, &[job]).remove(0)
    };
    assert_eq!([ask("x509", "spiffe-x509", "1"), ask("jwt", "spiffe-jwt", "1")], ["ok", "ok"]);
    assert!(ask("jwt", "spiffe-jwt", "2").starts_with("no "), "the check itself can fail");
    assert!(
        ask("jwt", "spiffe", "1").starts_with("no "),
        "spiffe takes mixed bundles now: say so in the help"
    );
}
