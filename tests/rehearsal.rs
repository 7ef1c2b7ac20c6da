//! `fedroot rotate rehearse`: a plan held with throw-away keys and real documents. Nothing of the real vault changes, strangers
//! verify each step, and simulated consumers notice what does not fit.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::peers::xmlsec1;
use crate::support::{Folder, Ran, federation, files, peers};

pub(crate) const SAML: &str = "version = 1\nkinds = [\"saml\"]\npolicy_ref = \"test\"\nrequire_reason = true\n\n[rotation]\nquorum = 2\n\n\
    [[channels]]\nname = \"metadata\"\nkind = \"saml-anchor\"\ndistribution = \"P14D\"\nnotice = \"P14D\"\n\
    points = [\"https://md.example.org/a\", \"https://md.example.net/b\"]\n";
pub(crate) const OPENID: &str = "version = 1\nkinds = [\"entity-configuration\", \"historical-keys\", \"jwk-set\"]\npolicy_ref = \"test\"\n\n\
    [openid]\nentity_id = \"https://anchor.example.org\"\n";
pub(crate) const ANCHOR: &str = r#"{"metadata":{"federation_entity":{"organization_name":"x","contacts":["ops@example.org"],
    "federation_fetch_endpoint":"https://anchor.example.org/fetch","federation_list_endpoint":"https://anchor.example.org/list"}}}"#;

/// A vault `V` with one line of this profile, inputs, and a folder `T` for temporary files.
pub(crate) fn world(line: &str, profile: &str) -> Folder {
    let folder = Folder::empty();
    let auditor = folder.auditor.clone();
    folder.good(&["init", "--vault", "V", "--auditor", &auditor]);
    fs::write(folder.path("profile.toml"), profile).unwrap();
    fs::write(folder.path("anchor.json"), ANCHOR).unwrap();
    fs::write(folder.path("history.toml"), "").unwrap();
    fs::write(folder.path("keys.toml"), "[[keys]]\nfile = \"p384.pub\"\n").unwrap();
    fs::create_dir(folder.path("T")).unwrap();
    let ran = folder.shell(&format!(
        "openssl pkey -in p384.pem -pubout > p384.pub; \
         d=$(fedroot key generate {line} --algorithm p384 --profile profile.toml --recipient $AUDITOR --dry-run --json --vault V \
         | sed 's/.*\"request\":\"\\([^\"]*\\)\".*/\\1/'); \
         fedroot key generate {line} --algorithm p384 --profile profile.toml --recipient $AUDITOR --confirm $d --reason test --vault V"
    ));
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    folder
}

/// Rehearses from the 4th of January 2027; what is thrown away lies in `T`, and is gone afterwards.
pub(crate) fn rehearse(folder: &Folder, line: &str, to: &str, more: &str) -> Ran {
    let ran = folder.shell(&format!(
        "TMPDIR=$PWD/T fedroot rotate rehearse {line} --from 2027-01-04T09:00:00Z --to {to} --vault V --json {more}"
    ));
    let left: Vec<_> = fs::read_dir(folder.path("T")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    ran
}

pub(crate) fn said(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}{}", ran.stdout, ran.stderr))
}

/// Every file of the vault.
pub(crate) fn bytes(folder: &Folder) -> BTreeMap<PathBuf, Vec<u8>> {
    files(&folder.path("V"), "").into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// The moves of a rehearsal, by their ceremonies.
pub(crate) fn moves(said: &Value) -> Vec<(String, Vec<String>)> {
    let ceremonies = said["ceremonies"].as_array().unwrap().iter();
    let told = |step: &Value| format!("{} #{}", step["act"].as_str().unwrap(), step["key"]);
    let moves = ceremonies.map(|held| {
        let moves = held["moves"].as_array().unwrap().iter().map(told);
        (held["at"].as_str().unwrap().to_owned(), moves.collect::<Vec<_>>())
    });
    moves.filter(|(_, moves)| !moves.is_empty()).collect()
}

pub(crate) fn day(day: &str, moves: &[&str]) -> (String, Vec<String>) {
    (format!("{day}T09:00:00Z"), moves.iter().map(|it| (*it).to_owned()).collect())
}

#[test]
fn a_double_publication_is_rehearsed_and_the_vault_is_not_touched() {
    let line = "example.org/prod/metadata";
    let folder = world(line, SAML);
    let before = bytes(&folder);
    let ran = rehearse(&folder, line, "2027-03-10T00:00:00Z", "--document saml aggregate.xml --output out");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(bytes(&folder) == before, "the real vault changed");
    let said = said(&ran);
    assert_eq!((&said["rejections"], &said["differences"]), (&Value::Array(vec![]), &Value::Array(vec![])));
    assert_eq!(
        moves(&said),
        [
            day("2027-01-11", &["generate #2", "publish #2"]),
            day("2027-02-01", &["activate #2"]),
            day("2027-03-01", &["retire #1", "destroy #1"]),
        ]
    );
    let steps: Value = serde_json::from_slice(&folder.read("out/steps.json")).unwrap();
    assert_eq!(steps["ceremonies"], said["ceremonies"]);

    // Each file verifies with the key that it is published for, and with no other.
    let name = "urn:oasis:names:tc:SAML:2.0:metadata:EntitiesDescriptor".to_owned();
    let here = peers("a_double_publication_is_rehearsed_and_the_vault_is_not_touched", &["xmlsec1"]);
    let all = folder.path("out/2027-01-18T09:00:00Z/trust");
    let (mut count, mut two) = (0, 0);
    for held in steps["ceremonies"].as_array().unwrap() {
        let published = held["files"].as_array().unwrap();
        two += usize::from(published.len() == 2);
        for file in published {
            let path = folder.path("out").join(file["file"].as_str().unwrap());
            assert_eq!(
                file["digest"],
                fedroot::base::bytes::Digest::of(&fs::read(&path).unwrap()).to_string()
            );
            for key in [1, 2] {
                let is_own = file["signed_by"] == key;
                assert!(
                    !here
                        || xmlsec1(&path, &all.join(format!("{key}.pem")), std::slice::from_ref(&name))
                            == is_own
                );
                count += 1;
            }
        }
    }
    // Both keys sign at the ceremonies from the publication until the notice is over.
    assert_eq!((count, two), (2 * (10 + 5), 5));
    assert_eq!(steps["ceremonies"][0]["trusted"], serde_json::json!([1]));
    assert_eq!(steps["ceremonies"][9]["trusted"], serde_json::json!([2]));
    // Throw-away keys are none of the line's.
    let own = folder.good(&["key", "export", line, "--vault", "V"]).stdout;
    assert!(fs::read_to_string(all.join("1.pem")).unwrap() != own);
}

#[test]
fn an_anchor_is_rehearsed_with_its_historical_keys() {
    let line = "example.org/sandbox/anchor";
    let folder = world(line, OPENID);
    let documents = "--document entity-configuration anchor.json --document historical-keys history.toml \
         --document jwk-set keys.toml --output out";
    let ran = rehearse(&folder, line, "2027-04-10T00:00:00Z", documents);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let said = said(&ran);
    assert_eq!(said["differences"], Value::Array(vec![]), "the plan knows the validity of configurations");
    assert_eq!(
        moves(&said),
        [
            day("2027-01-11", &["generate #2", "publish #2"]),
            day("2027-02-08", &["activate #2"]),
            // What never ends, the historical keys, is replaced by the next of its kind.
            day("2027-03-08", &["retire #1"]),
            day("2027-04-05", &["destroy #1"]),
        ]
    );
    let lists = |place: usize| said["ceremonies"][place]["files"][0]["lists"].to_string();
    assert_eq!([0, 1, 8, 9].map(lists), ["[1]", "[1,2]", "[1,2]", "[2]"]);
    let history = |day: &str| {
        let jwt =
            String::from_utf8(folder.read(&format!("out/{day}T09:00:00Z/by-2/historical-keys"))).unwrap();
        let claims = fedroot::base::bytes::from_base64url(jwt.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        claims["keys"].as_array().unwrap().len()
    };
    assert_eq!((history("2027-03-01"), history("2027-03-08")), (0, 1));
}

#[test]
fn a_whole_federation_is_rehearsed() {
    let line = "example.org/sandbox/anchor";
    let folder = world(line, federation::PROFILE);
    federation::write(&folder.path("in"), 2);
    fs::write(folder.path("in/historical-keys.toml"), "").unwrap();
    let ran = rehearse(&folder, line, "2027-03-20T00:00:00Z", "--document federation in --output out");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let said = said(&ran);
    assert_eq!((&said["rejections"], &said["differences"]), (&Value::Array(vec![]), &Value::Array(vec![])));
    assert_eq!(
        moves(&said),
        [
            day("2027-01-11", &["generate #2", "publish #2"]),
            day("2027-02-08", &["activate #2"]),
            day("2027-03-08", &["retire #1"]),
        ]
    );
    // Each tree is whole, and its anchor is the key that signs then.
    for (held, good) in [("2027-02-01", 1), ("2027-02-08", 2), ("2027-03-08", 2)] {
        for key in [1, 2] {
            let ran = folder.fedroot(&[
                "verify",
                "federation",
                &format!("out/{held}T09:00:00Z/by-{good}/federation"),
                "--trust",
                &format!("out/2027-02-01T09:00:00Z/trust/{key}.pem"),
                "--at",
                &format!("{held}T12:00:00Z"),
            ]);
            assert_eq!(ran.code, if key == good { 0 } else { 3 }, "{held} {key}: {}", ran.stderr);
        }
    }
}

#[test]
fn consumers_notice_what_ends_too_early() {
    let line = "example.org/sandbox/anchor";
    // The channel promises a month, and what is signed ends after five days.
    let profile = format!(
        "{OPENID}configuration = {{ usual = \"P5D\", min = \"P1D\", max = \"P9D\" }}\n\n\
         [[channels]]\nname = \"anchor\"\nkind = \"openid-anchor\"\nvalidity = \"P30D\"\n"
    );
    let folder = world(line, &profile);
    let documents = "--document entity-configuration anchor.json --output out";
    let ran = rehearse(&folder, line, "2027-01-20T00:00:00Z", documents);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    let said = said(&ran);
    assert_eq!(said["code"], "rotate.rejected");
    // Signed on the 4th, seen on the 6th, ended on the 9th; the next one appears on the 13th.
    let first = &said["rejections"][0];
    assert_eq!(first["file"], "2027-01-04T09:00:00Z/by-1/entity-configuration");
    assert!(first["why"].as_str().unwrap().contains("2027-01-09T09:00:00Z"), "{first}");
    assert!(folder.path("out/steps.json").exists(), "what was rejected can be looked at");
}

#[test]
fn a_line_of_pinned_keys_is_rehearsed() {
    let line = "example.org/sandbox/clients";
    let folder = world(
        line,
        "version = 1\nkinds = [\"jwks\"]\npolicy_ref = \"test\"\n[[channels]]\nname = \"pins\"\nkind = \"x509\"\ndistribution = \"P14D\"\n",
    );
    let ran = rehearse(&folder, line, "2027-03-01T00:00:00Z", "--document jwks keys.toml --output out");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let said = said(&ran);
    assert_eq!(
        moves(&said),
        [
            day("2027-01-04", &["generate #2", "publish #2"]),
            day("2027-01-25", &["activate #2"]),
            day("2027-02-01", &["retire #1", "destroy #1"]),
        ]
    );
    assert!(folder.path("out/2027-01-04T09:00:00Z/by-1/jwks.jws").exists());
}

#[test]
fn what_cannot_be_rehearsed_is_refused_and_leaves_nothing() {
    let line = "example.org/prod/metadata";
    let folder = world(line, SAML);
    let carried = SAML.replace("saml-anchor", "saml-signing");
    let rare = format!("{SAML}validity = \"P10D\"\n");
    let short = SAML.replace("[rotation]\n", "[rotation]\nlifetime = \"P20D\"\n");
    for (name, profile) in [("carried", &carried), ("rare", &rare), ("short", &short)] {
        fs::write(folder.path("profile.toml"), SAML).unwrap();
        let ran = folder.shell(&format!(
            "d=$(fedroot key generate example.org/sandbox/{name} --algorithm p384 --profile profile.toml \
             --recipient $AUDITOR --reason test --vault V)"
        ));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        // what was changed later is judged later
        fs::write(folder.path(&format!("V/keys/example.org/sandbox/{name}/profile.toml")), profile).unwrap();
    }
    fs::create_dir(folder.path("there")).unwrap();
    let (one, two) = ("https://idp.north.example/idp/shibboleth", "https://wiki.south.example/sp");
    let wrong = String::from_utf8(folder.read("aggregate.xml")).unwrap().replace(two, one);
    fs::write(folder.path("wrong.xml"), wrong).unwrap();
    let good = "--document saml aggregate.xml";
    let before = bytes(&folder);
    for (name, to, more, code, exit) in [
        ("prod/metadata", "2027-02-01T00:00:00Z", "", "rotate.rehearsal", 2),
        ("prod/metadata", "2027-01-04T09:00:00Z", good, "rotate.rehearsal", 2),
        (
            "prod/metadata",
            "2027-02-01T00:00:00Z",
            "--document saml entity.xml --document access-token keys.toml",
            "rotate.rehearsal",
            2,
        ),
        (
            "prod/metadata",
            "2027-02-01T00:00:00Z",
            "--document saml aggregate.xml --document bundle .",
            "rotate.rehearsal",
            2,
        ),
        ("prod/metadata", "2027-02-01T00:00:00Z", "--document nothing keys.toml", "usage.kind", 2),
        ("prod/metadata", "2027-02-01T00:00:00Z", "--document saml missing.xml", "file.missing", 7),
        ("prod/metadata", "2027-02-01T00:00:00Z", "--document saml wrong.xml", "review.refused", 3),
        ("prod/other", "2027-02-01T00:00:00Z", good, "key.missing", 2),
        ("sandbox/carried", "2027-02-01T00:00:00Z", good, "rotate.rehearsal", 2),
        ("sandbox/rare", "2027-02-01T00:00:00Z", good, "rotate.cadence", 3),
        ("sandbox/short", "2027-02-01T00:00:00Z", good, "rotate.cadence", 3),
        ("prod/metadata", "2027-02-01T00:00:00Z", &format!("{good} --output there"), "file.exists", 7),
        ("prod/metadata", "2027-02-01T00:00:00Z", &format!("{good} --output V/out"), "usage", 2),
    ] {
        let more = if more.contains("--output") { more.to_owned() } else { format!("{more} --output out") };
        let ran = rehearse(&folder, &format!("example.org/{name}"), to, &more);
        let said = said(&ran);
        assert_eq!(
            (said["code"].as_str().unwrap_or_default(), ran.code),
            (code, exit),
            "{name} {more}: {said}"
        );
        assert!(!folder.path("out").exists(), "{name} {more}");
    }
    assert!(bytes(&folder) == before, "the real vault changed");
    assert_eq!(fs::read_dir(folder.path("there")).unwrap().count(), 0);
}

#[test]
fn an_interrupted_rehearsal_leaves_nothing() {
    let line = "example.org/prod/metadata";
    let folder = world(line, SAML);
    let ran = folder.shell(&format!(
        "TMPDIR=$PWD/T fedroot rotate rehearse {line} --from 2027-01-04T09:00:00Z --to 2127-01-01T00:00:00Z --vault V \
         --document saml aggregate.xml --output out & pid=$!; \
         while test -z \"$(ls -A T)\"; do sleep 0.1; done; sleep 0.5; kill -TERM $pid; wait $pid"
    ));
    assert_eq!(ran.code, 130, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("interrupted; no file is left of the rehearsal"), "{}", ran.stderr);
    assert_eq!(fs::read_dir(folder.path("T")).unwrap().count(), 0);
    let left = fs::read_dir(folder.dir()).unwrap().map(|it| it.unwrap().file_name());
    let left: Vec<_> =
        left.filter(|name| name == "out" || name.to_string_lossy().starts_with(".fedroot")).collect();
    assert!(left.is_empty(), "{left:?}");
}
