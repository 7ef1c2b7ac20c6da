//! `fedroot verify saml DIR`: a publisher's view of the whole folder of a split aggregate, without vault and secret. Whatever is
//! exchanged, added, taken away or moved in it is refused and named.

use std::fs;
use std::os::unix::fs::symlink;

use fedroot::base::bytes::Digest;
use serde_json::Value;

use crate::batch::{numbered, splits};
use crate::support::{Folder, LINE, Ran};

const ONE: &str = "out/entities/https%3A%2F%2Fsp0.example%2Fsp";
const TWO: &str = "out/entities/https%3A%2F%2Fsp1.example%2Fsp";

fn verifies(folder: &Folder, more: &[&str]) -> Ran {
    folder.fedroot(&[&["verify", "saml", "out", "--trust", "line.pub"], more].concat())
}

fn says(folder: &Folder) -> Value {
    let ran = verifies(folder, &["--json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Is refused for these reasons.
fn refuses(folder: &Folder, code: &str, why: &[&str]) {
    verifies(folder, &["--json"]).refused(code, why);
}

/// The folder of an aggregate, signed; its key stands in `line.pub`.
fn published(aggregate: &str) -> Folder {
    let folder = Folder::with_one_line();
    fs::write(folder.path("aggregate.xml"), aggregate).unwrap();
    splits(&folder, "aggregate.xml", &[]);
    let public = folder.good(&["key", "export", LINE, "--vault", "V"]);
    fs::write(folder.path("line.pub"), public.stdout).unwrap();
    folder
}

/// The second name of a file.
fn hashed(folder: &Folder, name: &str) -> String {
    let bytes = folder.read(name);
    let names = fs::read_dir(folder.path("out/entities")).unwrap();
    let mut names = names.map(|entry| format!("out/entities/{}", entry.unwrap().file_name().display()));
    names.find(|other| other != name && folder.read(other) == bytes).unwrap()
}

/// Writes a document under both of its names.
fn write_both(folder: &Folder, name: &str, hashed: &str, bytes: &[u8]) {
    for name in [name, hashed] {
        fs::remove_file(folder.path(name)).unwrap();
        fs::write(folder.path(name), bytes).unwrap();
    }
}

/// The index with another document in the place of one.
fn listing(folder: &Folder, old: &[u8], new: &[u8]) -> String {
    let index = String::from_utf8(folder.read("out/index.json")).unwrap();
    let size = |bytes: &[u8]| format!("\"size\":{},", bytes.len());
    let digest = |bytes: &[u8]| Digest::of(bytes).to_string();
    let lines = index.lines().map(|line| {
        let of_new = line.replace(&digest(old), &digest(new)).replace(&size(old), &size(new));
        (if line.contains(&digest(old)) { of_new } else { line.to_owned() }) + "\n"
    });
    lines.collect()
}

#[test]
fn a_split_folder_is_verified_as_a_whole_by_whoever_has_the_key() {
    let folder = published(&numbered(3));
    fs::rename(folder.path("V"), folder.path("W")).unwrap();
    let said = says(&folder);
    let key = said["key"].as_str().unwrap();
    let coverage = &said["coverage"];
    assert_eq!(
        (&coverage["documents"], &coverage["files"], &coverage["gone"]),
        (&3.into(), &7.into(), &0.into())
    );
    assert_eq!(coverage["signed_by"], serde_json::json!({ key: 3 }));
    assert_eq!(said["valid_until"].as_str().unwrap().len(), 20);
    assert!(coverage["first_to_end"].as_str().unwrap().starts_with("entities/https"));
    let shown = verifies(&folder, &[]);
    for line in ["every document of out, and its 7 files", &format!("signed by            {key} (3)")] {
        assert!(shown.stdout.contains(line), "{line}\n{}", shown.stdout);
    }
    // As one document: by the index, and through a link to the folder, which whoever calls has named.
    assert_eq!(folder.fedroot(&["verify", "saml", "out/index.json", "--trust", "line.pub"]).code, 0);
    symlink("out", folder.path("published")).unwrap();
    assert_eq!(folder.fedroot(&["verify", "saml", "published", "--trust", "line.pub"]).code, 0);
    // It ends as a single document does.
    let ran = verifies(&folder, &["--at", said["valid_until"].as_str().unwrap(), "--json"]);
    let refused: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &refused["code"]), (3, &"verify.expired".into()));
    assert!(refused["message"].as_str().unwrap().contains("entities/https"), "{refused}");
}

#[test]
fn what_no_trusted_key_signed_is_refused() {
    let folder = published(&numbered(2));
    let second = hashed(&folder, ONE);
    let own = folder.read("line.pub");
    let other = folder.good(&[
        "key",
        "generate",
        "example.org/sandbox/other",
        "--algorithm",
        "p384",
        "--for",
        "saml",
        "--recipient",
        &folder.auditor,
        "--vault",
        "V",
    ]);
    assert_eq!(other.code, 0);
    let other = folder.good(&["key", "export", "example.org/sandbox/other", "--vault", "V"]).stdout;
    fs::write(folder.path("line.pub"), &other).unwrap();
    refuses(&folder, "verify.untrusted", &[&ONE[4..], "no trusted key", &TWO[4..]]);
    // One of several trusted keys will do, and it is told which.
    fs::write(folder.path("line.pub"), [other.as_bytes(), &own].concat()).unwrap();
    assert_eq!(says(&folder)["coverage"]["signed_by"].as_object().unwrap().len(), 1);
    // A document of the other key among those of ours: the same entity, the same names, in the index.
    fs::create_dir(folder.path("aside")).unwrap();
    fs::write(folder.path("line.pub"), &own).unwrap();
    let sign = [
        "sign",
        "saml",
        "aggregate.xml",
        "--key",
        "example.org/sandbox/other",
        "--split",
        "aside",
        "--vault",
        "V",
        "--identity",
        "auditor.key",
    ];
    folder.good(&sign);
    let foreign = folder.read(&ONE.replace("out/", "aside/"));
    write_both(&folder, ONE, &second, &foreign);
    refuses(&folder, "verify.altered", &[&ONE[4..], "was changed"]);
    let theirs = String::from_utf8(folder.read("aside/index.json")).unwrap();
    let ours = String::from_utf8(folder.read("out/index.json")).unwrap();
    let line = |index: &str| index.lines().find(|line| line.contains("sp0")).unwrap().to_owned();
    fs::write(folder.path("out/index.json"), ours.replace(&line(&ours), &line(&theirs))).unwrap();
    refuses(&folder, "verify.untrusted", &[&ONE[4..], "no trusted key"]);
    fs::write(folder.path("line.pub"), [other.as_bytes(), &own].concat()).unwrap();
    let signed_by = says(&folder)["coverage"]["signed_by"].clone();
    assert_eq!(signed_by.as_object().unwrap().values().collect::<Vec<_>>(), [&Value::from(1), &1.into()]);
}

#[test]
fn a_split_folder_that_is_not_as_it_was_written_is_refused_and_named() {
    let folder = published(&numbered(2));
    let (one, two) = (folder.read(ONE), folder.read(TWO));
    let (second, index) = (hashed(&folder, ONE), folder.read("out/index.json"));
    let altered = |why: &[&str]| refuses(&folder, "verify.altered", why);
    // a changed document; and one that the index speaks of, too
    let text = String::from_utf8(one.clone()).unwrap();
    let forged = text.replace("https://sp.example/acs", "https://evil.example/x").into_bytes();
    write_both(&folder, ONE, &second, &forged);
    altered(&[&ONE[4..], "was changed: it has another digest than in the index"]);
    fs::write(folder.path("out/index.json"), listing(&folder, &one, &forged)).unwrap();
    altered(&["is not good: the document is not the one that was signed"]);
    // the document of another, under this name
    fs::write(folder.path("out/index.json"), &index).unwrap();
    write_both(&folder, ONE, &second, &two);
    fs::write(folder.path("out/index.json"), listing(&folder, &one, &two)).unwrap();
    altered(&["is in the wrong place: it is about https://sp1.example/sp"]);
    fs::write(folder.path("out/index.json"), &index).unwrap();
    // a stale second name
    write_both(&folder, ONE, &second, &one);
    assert_eq!(says(&folder)["coverage"]["documents"], 2, "copies are as good as hard links");
    fs::write(folder.path(&second), &forged).unwrap();
    altered(&["is another document than", &second[4..]]);
    fs::remove_file(folder.path(&second)).unwrap();
    altered(&[&second[4..], "is missing"]);
    fs::write(folder.path(&second), &one).unwrap();
    // missing, and gone from the index
    fs::remove_file(folder.path(TWO)).unwrap();
    altered(&[&TWO[4..], "is missing"]);
    fs::write(folder.path(TWO), &two).unwrap();
    let lines = String::from_utf8(index.clone()).unwrap();
    let without = lines.lines().filter(|line| !line.contains("sp1")).collect::<Vec<_>>().join("\n") + "\n";
    fs::write(folder.path("out/index.json"), without.replace("},\n]}", "}\n]}")).unwrap();
    altered(&[&TWO[4..], "is not in the index"]);
    fs::write(folder.path("out/index.json"), &index).unwrap();
    // more than there should be; hidden files, and those of an interruption, too
    for extra in ["out/entities/.htaccess", "out/robots.txt", "out/proofs/x.tlog-proof", "out/.fedroot/x"] {
        fs::create_dir_all(folder.path(extra).parent().unwrap()).unwrap();
        fs::write(folder.path(extra), "").unwrap();
        altered(&[&extra[4..], "is not in the index"]);
        fs::remove_file(folder.path(extra)).unwrap();
        let _ = fs::remove_dir(folder.path(extra).parent().unwrap());
    }
    // links, to a right file and to elsewhere
    fs::rename(folder.path(&second), folder.path("elsewhere")).unwrap();
    symlink(folder.path("elsewhere"), folder.path(&second)).unwrap();
    refuses(&folder, "file.unlistable", &["symbolic link"]);
    fs::remove_file(folder.path(&second)).unwrap();
    fs::rename(folder.path("elsewhere"), folder.path(&second)).unwrap();
    assert_eq!(verifies(&folder, &[]).code, 0, "mended");
}

#[test]
fn an_index_of_a_split_folder_that_was_edited_is_refused() {
    let folder = published(&numbered(2));
    let index = String::from_utf8(folder.read("out/index.json")).unwrap();
    let content = index.split("\"content\":\"").nth(1).unwrap()[..71].to_owned();
    for (from, to, why) in [
        ("application/samlmetadata+xml", "text/html", "is described wrongly"),
        ("\"valid_until\":\"2", "\"valid_until\":\"3", "is described wrongly"),
        (content.as_str(), &Digest::of(b"").to_string(), "is described wrongly"),
        ("\"status\":\"published\"", "\"status\":\"unsigned\"", "is signed by nobody"),
        ("{sha1}", "{sha2}", "is missing"),
        ("\"names\":[\"entities/https%3A%2F%2Fsp0.example%2Fsp\",", "\"names\":[", "is in the wrong place"),
        ("\"size\":", "\"proof\":\"proofs/x.tlog-proof\",\"size\":", "has another proof"),
        ("\"version\":1", "\"version\":2", "line 1: it does not begin"),
        ("\n]}\n", "\n]}\n]}\n", "does not end"),
        ("\n]}\n", "", "is cut off"),
        ("\"names\"", "\"extra\":1,\"names\"", "unknown field"),
        ("\"id\":\"https://sp0", "\"id\":\"https://sp9", "does not stand in its place"),
    ] {
        assert!(index.contains(from), "{from}");
        fs::write(folder.path("out/index.json"), index.replace(from, to)).unwrap();
        refuses(&folder, "verify.altered", &[why]);
    }
    fs::remove_file(folder.path("out/index.json")).unwrap();
    assert_eq!(verifies(&folder, &[]).code, 7);
    // The index of a folder is known by its name, whatever another file begins with.
    fs::write(folder.path("out/metadata"), index).unwrap();
    assert_eq!(folder.fedroot(&["verify", "saml", "out/metadata", "--trust", "line.pub"]).code, 2);
}

#[test]
fn what_is_wrong_is_told_within_bounds() {
    let folder = published(&numbered(40));
    for name in fs::read_dir(folder.path("out/entities")).unwrap() {
        fs::write(name.unwrap().path(), "x").unwrap();
    }
    refuses(&folder, "verify.altered", &["; and 30 more"]);
}

#[test]
fn who_left_a_split_folder_is_told_and_was_signed_once() {
    let folder = published(&numbered(3));
    fs::write(folder.path("aggregate.xml"), numbered(2)).unwrap();
    splits(&folder, "aggregate.xml", &[]);
    let said = says(&folder);
    assert_eq!((&said["coverage"]["documents"], &said["coverage"]["gone"]), (&2.into(), &1.into()));
    let shown = verifies(&folder, &[]).stdout;
    assert!(shown.contains("left                 https://sp2.example/sp"), "{shown}");
    let third = ONE.replace("sp0", "sp2");
    let (before, second) = (folder.read(&third), hashed(&folder, &third));
    write_both(&folder, &third, &second, b"anything");
    refuses(&folder, "verify.altered", &["sp2", "is not good"]);
    write_both(&folder, &third, &second, &before);
    splits(&folder, "aggregate.xml", &["--prune"]);
    assert_eq!(
        (&says(&folder)["coverage"]["gone"], &says(&folder)["coverage"]["files"]),
        (&0.into(), &5.into())
    );
}

/// An entity has its dates where the profile put them, from its groups, or its own; and namespaces of its groups behind them.
#[test]
fn the_content_of_the_index_is_that_of_every_document_whoever_dates_it() {
    let md = "urn:oasis:names:tc:SAML:2.0:metadata";
    let role = "<md:SPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\
         <md:AssertionConsumerService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" \
         Location=\"https://sp.example/acs\" index=\"1\"/></md:SPSSODescriptor>";
    let soon = fedroot::base::clock::Clock::now(&fedroot::base::clock::SystemClock);
    let soon = soon.after("P2D".parse().unwrap()).unwrap();
    let aggregate = format!(
        "<md:EntitiesDescriptor xmlns:md=\"{md}\" xmlns:x=\"urn:x\" xml:lang=\"en\" validUntil=\"{soon}\">\
         <md:EntityDescriptor entityID=\"https://a.example\">{role}<md:Extensions x:y=\"\"/></md:EntityDescriptor>\
         <md:EntityDescriptor validUntil=\"{soon}\" entityID=\"https://b.example\">{role}</md:EntityDescriptor>\
         <md:EntityDescriptor cacheDuration=\"PT1H\" entityID=\"https://c.example\">{role}</md:EntityDescriptor>\
         </md:EntitiesDescriptor>\n"
    );
    let aggregate = aggregate.replace("<md:Extensions x:y=\"\"/>", "<!-- x:y -->");
    for dates in ["replace", "keep"] {
        let folder = Folder::with_one_line();
        let profile = format!("V/keys/{LINE}/profile.toml");
        let text = String::from_utf8(folder.read(&profile)).unwrap();
        assert!(text.contains("dates = \"replace\""), "{text}");
        fs::write(
            folder.path(&profile),
            text.replace("dates = \"replace\"", &format!("dates = \"{dates}\"")),
        )
        .unwrap();
        fs::write(folder.path("aggregate.xml"), &aggregate).unwrap();
        splits(&folder, "aggregate.xml", &[]);
        let public = folder.good(&["key", "export", LINE, "--vault", "V"]);
        fs::write(folder.path("line.pub"), public.stdout).unwrap();
        assert_eq!(says(&folder)["coverage"]["documents"], 3, "{dates}");
    }
}

/// With proofs, each document has its own, and none is left over; what is proved is the ledger's to say.
#[test]
fn the_proofs_of_a_folder_belong_to_its_documents() {
    let folder = Folder::with_one_line();
    let profile = format!("V/keys/{LINE}/profile.toml");
    let text = "version = 1\nkinds = [\"saml\"]\npolicy_ref = \"x\"\n[ledger]\nproof = true\n";
    fs::write(folder.path(&profile), text).unwrap();
    fs::write(folder.path("aggregate.xml"), numbered(2)).unwrap();
    splits(&folder, "aggregate.xml", &[]);
    let public = folder.good(&["key", "export", LINE, "--vault", "V"]);
    fs::write(folder.path("line.pub"), public.stdout).unwrap();
    assert_eq!(says(&folder)["coverage"]["files"], 7);
    let proof = fs::read_dir(folder.path("out/proofs")).unwrap().next().unwrap().unwrap().path();
    fs::rename(&proof, folder.path("aside")).unwrap();
    refuses(&folder, "verify.altered", &["has another proof than in the index, or none"]);
    fs::rename(folder.path("aside"), &proof).unwrap();
    fs::copy(&proof, proof.with_file_name(format!("{}.tlog-proof", "0".repeat(64)))).unwrap();
    refuses(&folder, "verify.altered", &["000.tlog-proof is not in the index"]);
}
