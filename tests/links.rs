//! What others put into a folder that is renewed: links lead nothing of ours elsewhere, and what belongs to no document is
//! named and left alone.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::batch::{numbered, split, splits};
use crate::support::world::{arguments, file, signs, world};
use crate::support::{Folder, LINE, Ran, files};

/// Is refused because of what stands under this name, before anything is signed or written.
fn refused(folder: &Folder, ran: &Ran, name: &str) {
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &said["code"]), (3, &"file.unlistable".into()), "{name}: {said}{}", ran.stderr);
    assert!(said["message"].as_str().unwrap().contains(&format!(": {name} ")), "{name}: {said}");
    let outstanding = folder.good(&["ledger", "verify", "--vault", "V"]).stdout;
    assert!(!outstanding.contains("open intent"), "{outstanding}");
}

/// Every file below a folder, with what stands in it.
fn held(folder: &Folder, name: &str) -> Vec<(String, Vec<u8>)> {
    let all = files(&folder.path(name), "");
    all.iter().map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect()
}

fn named(said: &Value) -> Vec<&str> {
    said["strays"]["named"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

#[test]
fn nothing_behind_a_link_is_removed_or_written_by_a_split() {
    let folder = Folder::with_one_line();
    fs::write(folder.path("in.xml"), numbered(3)).unwrap();
    let keys = held(&folder, "V/keys");
    assert!(!keys.is_empty());
    fs::create_dir(folder.path("out")).unwrap();
    symlink(format!("../V/keys/{LINE}"), folder.path("out/.fedroot")).unwrap();
    assert!(folder.path("out/.fedroot/1.toml").exists(), "the link leads to the line");
    refused(&folder, &folder.fedroot(&split("in.xml", &[])), ".fedroot");
    fs::remove_file(folder.path("out/.fedroot")).unwrap();
    fs::create_dir(folder.path("elsewhere")).unwrap();
    symlink("../elsewhere", folder.path("out/entities")).unwrap();
    refused(&folder, &folder.fedroot(&split("in.xml", &[])), "entities");
    fs::remove_file(folder.path("out/entities")).unwrap();
    let said = splits(&folder, "in.xml", &[]);
    assert_eq!((said["signed"].clone(), said["strays"]["count"].clone()), (3.into(), 0.into()));
    // Links to what is right, under the first and the other name of a document, and under that of the index.
    let names = said["documents"][0]["names"].as_array().unwrap();
    let names: Vec<&str> = names.iter().map(|name| name.as_str().unwrap()).chain(["index.json"]).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    for name in names {
        let there = folder.path(&format!("out/{name}"));
        fs::rename(&there, folder.path("elsewhere/it")).unwrap();
        let depth = "../".repeat(name.matches('/').count() + 1);
        symlink(format!("{depth}elsewhere/it"), &there).unwrap();
        let before = held(&folder, "elsewhere");
        refused(&folder, &folder.fedroot(&split("in.xml", &[])), name);
        refused(&folder, &folder.fedroot(&split("in.xml", &["--dry-run"])), name);
        assert_eq!(held(&folder, "elsewhere"), before);
        fs::rename(folder.path("elsewhere/it"), &there).unwrap();
    }
    assert_eq!(held(&folder, "V/keys"), keys, "no key, certificate, record or profile was touched");
    assert_eq!(splits(&folder, "in.xml", &[])["changed"], false);
}

#[test]
fn what_belongs_to_no_document_is_named_and_stays() {
    let folder = Folder::with_one_line();
    fs::write(folder.path("in.xml"), numbered(3)).unwrap();
    splits(&folder, "in.xml", &[]);
    fs::create_dir(folder.path("out/.fedroot")).unwrap();
    for name in ["out/.fedroot/notes", "out/entities/evil.xml"] {
        fs::write(folder.path(name), "ours").unwrap();
    }
    fs::write(folder.path(&format!("out/.fedroot/{}", "0f".repeat(32))), "torn").unwrap();
    fs::create_dir(folder.path("out/empty")).unwrap();
    symlink("nowhere", folder.path("out/link")).unwrap();
    let strays = [".fedroot/notes", "empty", "entities/evil.xml", "link"];
    for more in [&["--dry-run"][..], &[]] {
        let said = splits(&folder, "in.xml", more);
        let mut found = named(&said);
        found.sort_unstable();
        assert_eq!(found, strays);
        assert_eq!((&said["strays"]["count"], &said["changed"]), (&4.into(), &false.into()));
    }
    let left: Vec<_> = fs::read_dir(folder.path("out/.fedroot")).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "what an interrupted run of ours left is thrown away, and nothing else");
    assert_eq!(folder.read("out/.fedroot/notes"), b"ours");
    let told = split("in.xml", &[]).into_iter().filter(|word| *word != "--json").collect::<Vec<_>>();
    let told = folder.good(&told).stderr;
    assert!(told.contains("4 files or folders belong to no document") && told.contains("evil.xml"), "{told}");
    fs::remove_dir_all(folder.path("out/.fedroot")).unwrap();
    // Who left is not forgotten with the index.
    for name in ["index.json", "link", "entities/evil.xml"] {
        fs::remove_file(folder.path(&format!("out/{name}"))).unwrap();
    }
    fs::remove_dir(folder.path("out/empty")).unwrap();
    fs::write(folder.path("fewer.xml"), numbered(2)).unwrap();
    let said = splits(&folder, "fewer.xml", &["--release-brake", "test", "--prune"]);
    assert_eq!((&said["removed"], &said["strays"]["count"]), (&2.into(), &0.into()), "{said}");
    assert!(said["gone"][0]["id"].as_str().unwrap().contains("sp2.example"), "{said}");
}

#[test]
fn a_federation_is_not_signed_through_links() {
    let folder = world(2);
    signs(&folder, &[]);
    fs::rename(folder.path("tree/fetch"), folder.path("outside")).unwrap();
    symlink("../outside", folder.path("tree/fetch")).unwrap();
    let before = held(&folder, "outside");
    fs::remove_file(folder.path("in/subordinates/1.toml")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    for more in [&["--prune"][..], &["--dry-run"], &[]] {
        refused(&folder, &folder.fedroot(&arguments(more)), "fetch");
    }
    assert_eq!(held(&folder, "outside"), before);
    fs::remove_file(folder.path("tree/fetch")).unwrap();
    fs::rename(folder.path("outside"), folder.path("tree/fetch")).unwrap();
    // The list, which nobody signs, and a folder in a document's place.
    fs::rename(folder.path("tree/list"), folder.path("list")).unwrap();
    symlink("../list", folder.path("tree/list")).unwrap();
    let before = folder.read("list");
    refused(&folder, &folder.fedroot(&arguments(&[])), "list");
    assert_eq!(folder.read("list"), before);
    fs::remove_file(folder.path("tree/list")).unwrap();
    fs::remove_file(folder.path(&file(2))).unwrap();
    fs::create_dir(folder.path(&file(2))).unwrap();
    refused(&folder, &folder.fedroot(&arguments(&[])), file(2).strip_prefix("tree/").unwrap());
    fs::remove_dir(folder.path(&file(2))).unwrap();
    let said = signs(&folder, &["--prune"]);
    assert_eq!(
        (&said["signed"], &said["removed"], &said["strays"]["count"]),
        (&1.into(), &1.into(), &0.into())
    );
    fs::write(folder.path("tree/fetch/evil"), "").unwrap();
    assert_eq!(named(&signs(&folder, &[])), ["fetch/evil"], "verify refuses it");
    fs::remove_file(folder.path("tree/fetch/evil")).unwrap();
    folder.good(&["verify", "federation", "tree", "--trust", "anchor.pub"]);
}

#[test]
fn a_list_that_nobody_promises_any_longer_is_not_left_in_the_tree() {
    let folder = world(2);
    signs(&folder, &[]);
    let anchor = String::from_utf8(folder.read("in/anchor.toml")).unwrap();
    fs::write(
        folder.path("in/anchor.toml"),
        anchor.replace("anchor.example.org/list", "anchor.example.org/l2"),
    )
    .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let ran = folder.fedroot(&arguments(&[]));
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &said["code"]), (3, &"sign.moved".into()), "{said}");
    assert!(said["message"].as_str().unwrap().contains("list stands in list"), "{said}");
    folder.good(&["verify", "federation", "tree", "--trust", "anchor.pub"]);
    fs::rename(folder.path("tree"), folder.path("old")).unwrap();
    signs(&folder, &[]);
    folder.good(&["verify", "federation", "tree", "--trust", "anchor.pub"]);
}
