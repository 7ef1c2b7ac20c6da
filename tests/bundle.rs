//! Bundles: strangers read list and signatures, both signatures come out of one act, and all files appear or none.

use std::fs;

use fedroot::base::bytes::{Digest, from_base64url};
use fedroot::base::disk::{self, Pending};
use fedroot::key::Signature;
use serde_json::{Value, json};

use crate::kinds::{key, rsa, shell, sign, vault_with};
use crate::support::{Folder, peers};

#[test]
fn strangers_read_a_bundle() {
    if !peers("strangers_read_a_bundle", &["openssl", "sha384sum"]) {
        return;
    }
    let folder = vault_with("bundle", "");
    for line in ["p384", "rsa"] {
        let name = format!("{line}-dist");
        fs::create_dir_all(folder.path(&format!("{name}/sub"))).unwrap();
        for file in ["a b", "sub/ü", ".hidden", "-r"] {
            fs::write(folder.path(&format!("{name}/{file}")), file).unwrap();
        }
        let list = format!("{name}/MANIFEST.sha384");
        sign(&folder, "bundle", line, &name, &list);
        shell(&folder, &format!("cd {name} && sha384sum --check --strict MANIFEST.sha384"));
        shell(&folder, &format!("openssl dgst -sha384 -verify {line}.pub -signature {list}.sig {list}"));
        // What sha384sum itself would list is what we list.
        let own =
            "find . -type f ! -name 'MANIFEST*' -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha384sum --";
        shell(&folder, &format!("cd {name} && {own} | cmp - MANIFEST.sha384"));
        folder.good(&["verify", "bundle", &name, "--trust", &format!("{line}.pub")]);
    }
}

/// What an auditor reads of the last act: the intent and the outcome.
fn last_act(folder: &Folder) -> [Value; 2] {
    let shown = folder.good(&["ledger", "show", "--identity", "auditor.key", "--json", "--vault", "V"]);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    let entries = shown["entries"].as_array().unwrap();
    [2, 1].map(|back| entries[entries.len() - back].clone())
}

#[test]
fn both_signatures_of_a_bundle_come_out_of_one_act() {
    let folder = vault_with("bundle", "[bundle]\njws = true\n");
    fs::create_dir(folder.path("dist")).unwrap();
    fs::write(folder.path("dist/x"), "x").unwrap();
    sign(&folder, "bundle", "p384", "dist", "dist/MANIFEST.sha384");
    let (list, sig, jws) = ("dist/MANIFEST.sha384", "dist/MANIFEST.sha384.sig", "dist/MANIFEST.sha384.jws");
    let [intent, outcome] = last_act(&folder);
    assert_eq!((&intent["type"], &outcome["type"]), (&json!("intent"), &json!("outcome")), "one act");
    let compact = String::from_utf8(folder.read(jws)).unwrap();
    let header = compact.split('.').next().unwrap();
    let input = [header.as_bytes(), b".", &folder.read(list)].concat();
    let digest = |bytes: &[u8]| json!(Digest::of(bytes).to_string());
    assert_eq!(intent["body"]["octets"], digest(&folder.read(list)));
    assert_eq!(intent["body"]["also"], json!([digest(&input)]));
    assert_eq!(outcome["body"]["signature"].as_array().unwrap().len(), 2);
    assert_eq!(outcome["body"]["artefact"], digest(&folder.read(list)));
    let beside: Vec<_> =
        [sig, jws].iter().map(|name| json!({"name": name, "digest": digest(&folder.read(name))})).collect();
    assert_eq!(outcome["body"]["beside"], json!(beside));
    let verify = ["verify", "bundle", "dist", "--trust", "p384.pub", "--trust", "rsa.pub"];
    assert!(folder.good(&verify).stdout.contains(".sig and .jws"));
    // Each is enough, none is not; a bad one is not made up for by a good one.
    for (gone, other) in [(sig, jws), (jws, sig)] {
        let good = folder.read(gone);
        fs::remove_file(folder.path(gone)).unwrap();
        assert!(!folder.good(&verify).stdout.contains(" and ."), "{gone}");
        fs::rename(folder.path(other), folder.path("kept")).unwrap();
        assert_eq!(folder.fedroot(&verify).code, 3, "neither");
        fs::rename(folder.path("kept"), folder.path(other)).unwrap();
        let mut bad = good.clone();
        let end = bad.len() - 10;
        bad[end] = if bad[end] == b'A' { b'B' } else { b'A' };
        fs::write(folder.path(gone), bad).unwrap();
        let ran = folder.fedroot(&verify);
        assert!(ran.code == 3 && ran.stderr.contains(gone), "{gone}: {}", ran.stderr);
        fs::write(folder.path(gone), good).unwrap();
    }
    // Two keys that are both trusted never made one act.
    fs::create_dir(folder.path("other")).unwrap();
    fs::copy(folder.path("dist/x"), folder.path("other/x")).unwrap();
    sign(&folder, "bundle", "rsa", "other", "other/MANIFEST.sha384");
    fs::copy(folder.path("other/MANIFEST.sha384.jws"), folder.path(jws)).unwrap();
    let ran = folder.fedroot(&verify);
    assert!(ran.code == 3 && ran.stderr.contains("one key makes both"), "{}", ran.stderr);
}

/// Whichever of the files cannot be there: none of the others is, and nothing is in the way of the next attempt.
#[test]
fn of_several_files_all_appear_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for taken in ["a", "b", "c"] {
        let files: Vec<_> =
            ["a", "b", "c"].iter().map(|name| Pending::beside(&path(name)).unwrap()).collect();
        fs::write(path(taken), "in the way").unwrap();
        assert_eq!(Pending::publish_all(files).unwrap_err().code(), &disk::EXISTS);
        let there = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(there.collect::<Vec<_>>(), [taken], "{taken}");
        assert_eq!(fs::read(path(taken)).unwrap(), b"in the way");
        fs::remove_file(path(taken)).unwrap();
    }
    Pending::publish_all(vec![Pending::beside(&path("a")).unwrap()]).unwrap();
    assert!(path("a").exists());
}

#[test]
fn openssl_verifies_both_signatures_of_a_bundle() {
    if !peers("openssl_verifies_both_signatures_of_a_bundle", &["openssl"]) {
        return;
    }
    let folder = vault_with("bundle", "[bundle]\njws = true\n");
    fs::create_dir(folder.path("dist")).unwrap();
    fs::write(folder.path("dist/x"), "x").unwrap();
    for (line, key) in [("p384", key()), ("rsa", rsa())] {
        let output = format!("dist/{line}.list");
        sign(&folder, "bundle", line, "dist", &output);
        shell(&folder, &format!("openssl dgst -sha384 -verify {line}.pub -signature {output}.sig {output}"));
        let jws = String::from_utf8(folder.read(&format!("{output}.jws"))).unwrap();
        let (header, signature) = jws.trim_end().split_once("..").unwrap();
        let octets = [header.as_bytes(), b".", &folder.read(&output)].concat();
        fs::write(folder.path("octets"), octets).unwrap();
        let raw = Signature::from_bytes(from_base64url(signature).unwrap());
        let der = key.public().unwrap().algorithm().x509_signature(&raw).unwrap();
        fs::write(folder.path("der"), der).unwrap();
        shell(&folder, &format!("openssl dgst -sha384 -verify {line}.pub -signature der octets"));
    }
}
