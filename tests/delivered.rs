//! What has its signature beside it is verified as it was delivered: not compressed, not shifted, under names that tools of others
//! read; a secret is shown on no terminal; what looks like a document and is read by nobody is told.

use std::fs;

use crate::support::every;
use crate::support::world::{arguments, signs, world};
use crate::support::{Folder, Ran};

fn signed(folder: &Folder, kind: &str, document: &str, output: &str) {
    let ran = every::sign(folder, kind, document, output);
    assert_eq!(ran.code, 0, "{kind}: {}", ran.stderr);
}

fn verify(folder: &Folder, kind: &str, document: &str) -> Ran {
    folder.fedroot(&["verify", kind, document, "--trust", "all.pub"])
}

#[track_caller]
fn refused(ran: &Ran, says: &str) {
    assert!(ran.code == 3 && ran.stderr.contains(says), "{}: {}{}", ran.code, ran.stdout, ran.stderr);
}

#[test]
fn nothing_moves_from_one_signed_file_to_the_other() {
    let folder = every::vault("p384", "ES384");
    signed(&folder, "kubernetes", "kubernetes.toml", "k8s");
    let read = |name: &str| String::from_utf8(folder.read(name)).unwrap();
    let (set, discovery) = (read("k8s"), read("k8s.openid-configuration"));
    let put = |set: &str, discovery: &str| {
        fs::write(folder.path("k8s"), set).unwrap();
        fs::write(folder.path("k8s.openid-configuration"), discovery).unwrap();
    };
    put(set.trim_end(), &format!("\n{discovery}"));
    refused(&verify(&folder, "kubernetes", "k8s"), "it is not as it was written");
    put(&set, &discovery);
    assert_eq!(verify(&folder, "kubernetes", "k8s").code, 0);
}

#[test]
fn what_stands_compressed_is_not_what_others_verify() {
    let folder = every::vault("p384", "ES384");
    fs::create_dir_all(folder.path("dist")).unwrap();
    signed(&folder, "bundle", "dist", "dist/MANIFEST.sha384");
    signed(&folder, "jwks", "jwks.toml", "set");
    for (kind, document, files) in [
        (
            "bundle",
            "dist",
            &["dist/MANIFEST.sha384", "dist/MANIFEST.sha384.sig", "dist/MANIFEST.sha384.jws"][..],
        ),
        ("jwks", "set", &["set", "set.jws"]),
    ] {
        assert_eq!(verify(&folder, kind, document).code, 0);
        for file in files {
            let ran =
                folder.shell(&format!("gzip -c {file} > packed && cp {file} plain && mv packed {file}"));
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            refused(&verify(&folder, kind, document), "is compressed, and what was signed is not");
            fs::rename(folder.path("plain"), folder.path(file)).unwrap();
        }
        assert_eq!(verify(&folder, kind, document).code, 0, "mended");
    }
}

#[test]
fn names_that_others_read_otherwise_are_refused_or_told() {
    let folder = every::vault("p384", "ES384");
    fs::create_dir_all(folder.path("dash")).unwrap();
    fs::write(folder.path("dash/-"), "x").unwrap();
    refused(&every::sign(&folder, "bundle", "dash", "dash/MANIFEST.sha384"), "standard input");
    fs::write(folder.path("dist/manifest.SHA384"), "x").unwrap();
    let review = folder.fedroot(&["review", "bundle", "dist", "--key", every::LINE, "--vault", "V"]);
    assert!(review.stdout.contains("bundle.name.case"), "{}{}", review.stdout, review.stderr);
}

#[test]
fn a_document_of_a_federation_that_nobody_reads_is_told() {
    let folder = world(1);
    for name in [
        "subordinates/2.TOML",
        "subordinates/more/2.toml",
        "subordinate/2.toml",
        "historical-key.toml",
        "trust-marks/x.Json",
    ] {
        let path = folder.path(&format!("in/{name}"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "configuration = \"1.jwt\"\n").unwrap();
        let ran = folder.fedroot(&arguments(&[]));
        assert!(
            ran.code == 2 && ran.stdout.contains(&format!("nobody reads {name}")),
            "{name}: {}",
            ran.stdout
        );
        fs::remove_file(path).unwrap();
    }
    // What documents name, and what editors leave.
    for name in ["subordinates/notes.txt", "subordinates/.1.toml.swp", "more.json", ".git/x.toml"] {
        let path = folder.path(&format!("in/{name}"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    assert_eq!(signs(&folder, &[])["signed"], 2);
}
