//! The README and the examples do what they say: every block marked `sh` is executed, in order, as one session in a folder
//! of its own with the files of `examples/first-ceremony` in it and the program in the path.
//!
//! A first line `# needs: NAME …` in a block names peers; where one is absent the block is left out, loudly. A block marked
//! `text output` behind an executed one shows lines that it prints, `…` standing for any text. Blocks marked `console` are
//! for people only: they install, build, or ask at a terminal.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{FEDROOT, peers, root};
use fedroot::base::bytes::Digest;

struct Block {
    line: usize,
    info: String,
    text: String,
}

fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in markdown.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => {
                open = Some(Block { line: number + 1, info: info.into(), text: String::new() });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.text.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block of the README is not closed");
    blocks
}

/// The programs that a block needs beside ours.
fn needs(block: &Block) -> Vec<&str> {
    block
        .text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("# needs: "))
        .unwrap_or_default()
        .split_whitespace()
        .collect()
}

fn place(block: &Block) -> String {
    format!("README.md:{}", block.line)
}

fn marker(block: &Block) -> String {
    format!("=== {}", place(block))
}

/// Runs a script in a folder; what it prints, both streams together.
fn run(folder: &Path, command: &mut Command) -> (bool, String) {
    let path =
        format!("{}:{}", Path::new(FEDROOT).parent().unwrap().display(), std::env::var("PATH").unwrap());
    let log = folder.join("log");
    let output = fs::File::create(&log).unwrap();
    let status = command
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder)
        .env("TMPDIR", folder)
        .env("FEDROOT", FEDROOT)
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .status()
        .unwrap();
    (status.success(), String::from_utf8_lossy(&fs::read(&log).unwrap()).into_owned())
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("fedroot-readme-").tempdir().unwrap();
    for name in ["metadata.xml", "profile.toml"] {
        fs::copy(root().join("examples/first-ceremony").join(name), folder.path().join(name)).unwrap();
    }
    folder
}

/// Whether a line of the README stands for a line that was printed.
fn shows(pattern: &str, printed: &str) -> bool {
    let parts: Vec<&str> = pattern.split('…').collect();
    printed.lines().any(|line| match parts.as_slice() {
        [whole] => line == *whole,
        [first, .., last] => {
            line.starts_with(first) && line.ends_with(last) && line.len() >= first.len() + last.len()
        }
        [] => false,
    })
}

/// Executes the README and returns the folder it was executed in, with what each block printed.
fn execute(blocks: &[Block]) -> (tempfile::TempDir, Vec<(usize, String)>) {
    let folder = folder();
    let here = |block: &&Block| block.info == "sh" && peers(&place(block), &needs(block));
    let chosen: Vec<&Block> = blocks.iter().filter(here).collect();
    assert!(!chosen.is_empty(), "the README has no block marked sh");
    let marked = |block: &&Block| format!("echo '{}'\n{}", marker(block), block.text);
    let script = chosen.iter().map(marked).collect::<Vec<_>>().concat();
    let (good, log) = run(folder.path(), Command::new("sh").args(["-eu", "-c", &script]));
    assert!(good, "the README fails below the last line that names a block:\n{log}");
    let printed = chosen.iter().map(|block| {
        let after = log.split_once(&marker(block)).unwrap().1;
        (block.line, after.split("\n=== README.md:").next().unwrap().to_owned())
    });
    let printed = printed.collect();
    (folder, printed)
}

#[test]
fn the_readme_is_executed() {
    let blocks = blocks(&fs::read_to_string(root().join("README.md")).unwrap());
    let (folder, printed) = execute(&blocks);
    for block in blocks.iter().filter(|block| block.info == "text output") {
        let before = printed.iter().rev().find(|(line, _)| *line < block.line);
        let (_, printed) = before.expect("a block of output without a block before it");
        for line in block.text.lines() {
            assert!(shows(line, printed), "README.md:{}: nothing printed `{line}`:\n{printed}", block.line);
        }
    }
    // The README says that the request digest can be computed by other means.
    let digest = |name: &str| Digest::of(&fs::read(folder.path().join(name)).unwrap()).to_string();
    let public = fs::read_to_string(folder.path().join("federation.pem")).unwrap();
    let public = fedroot::key::PublicKey::from_pem(&public).unwrap().fingerprint();
    let request = format!(
        "fedroot request v1\nact sign\nkind saml\nkey example.org/prod/metadata#1\npublic {public}\nprofile {}\n\
         document {}\n",
        digest("profile.toml"),
        digest("metadata.xml")
    );
    let review = fs::read_to_string(folder.path().join("review.txt")).unwrap();
    let request = Digest::of(request.as_bytes()).to_string();
    assert!(review.contains(&request), "docs/formats/vault.md no longer describes the request digest");
    let profile = digest("profile.toml");
    let making = format!(
        "fedroot request v1\nact generate\nkey example.org/prod/metadata#1\nalgorithm p384\nprofile {profile}\n\
         sealed to passphrase\n"
    );
    let shown = fs::read_to_string(folder.path().join("making.txt")).unwrap();
    assert!(
        shown.contains(&Digest::of(making.as_bytes()).to_string()),
        "the request to make a key is another"
    );
}

#[test]
fn the_readme_names_the_commands_of_ci() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let ci = fs::read_to_string(root().join(".ci/run")).unwrap();
    let is_test = |block: &Block| block.text.starts_with("cargo test");
    let block =
        blocks(&readme).into_iter().find(is_test).expect("a block with the command that passes the tests");
    let command = block.text.trim();
    assert!(ci.lines().any(|line| line == command), ".ci/run does not run `{command}`");
}

#[test]
fn the_first_ceremony_runs() {
    let folder = tempfile::tempdir().unwrap();
    let script = root().join("examples/first-ceremony/run");
    let (good, log) = run(folder.path(), &mut Command::new(&script));
    assert!(good, "{log}");
    assert!(log.contains("done. The files are in"), "{log}");
    let made = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let made = made.into_iter().find(|path| path.is_dir()).expect("the folder of the ceremony");
    for name in ["signed.xml", "federation.pem", "vault/vault.toml", "auditor.key"] {
        assert!(made.join(name).exists(), "{name} is not there");
    }
}

#[test]
fn the_first_ceremony_stops_at_the_first_failure() {
    let folder = tempfile::tempdir().unwrap();
    // Everything works but the verification. A shell writes the stub: a file that this process still has open for writing
    // somewhere could not be executed.
    let first = root().join("examples/first-ceremony/run").display().to_string();
    let script = format!(
        "printf '#!/bin/sh\\n[ \"$1\" != verify ] && exec {FEDROOT} \"$@\"\\n' > stub && chmod 700 stub && FEDROOT=./stub {first}"
    );
    let (good, log) = run(folder.path(), Command::new("sh").args(["-c", &script]));
    assert!(!good && !log.contains("done."), "{log}");
}

#[test]
fn the_check_of_output_can_fail() {
    assert!(shows("a…c", "x\nabc") && shows("abc", "abc") && shows("  sha256:…", "  sha256:00"));
    assert!(!shows("a…d", "abc") && !shows("ab", "abc") && !shows("aa…aa", "aaa"));
}

#[test]
fn every_kind_is_named_where_profiles_are_described() {
    for (page, what) in [("docs/formats/vault.md", "| `kinds` |"), ("README.md", "")] {
        let text = fs::read_to_string(root().join(page)).unwrap();
        let told: String = text.lines().filter(|line| line.starts_with(what)).collect();
        for kind in fedroot::artefact::KINDS {
            assert!(told.contains(&format!("`{}`", kind.name())), "{page} does not name {}", kind.name());
        }
    }
}
