//! What is written about the program is true of it: manual, links, error codes, evidence.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::source::{Source, is_word, places, relative, sources};
use super::{read, settle};
use crate::support::{FEDROOT, files, root};

#[test]
fn manual_and_completions_are_fresh() {
    let output = Command::new(FEDROOT).args(["manual", "--check"]).arg(root()).output().unwrap();
    assert!(
        output.status.success(),
        "{}What to do: cargo run -- manual . , and commit what it writes",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn every_code_is_in_the_manual() {
    let page = read("man/fedroot.1").replace('\\', "");
    let mut complaints = Vec::new();
    for source in sources(&["src"]) {
        for at in places(source.shipped(), "Code::new(") {
            let after = source.text[at + "Code::new(".len()..].trim_start();
            let Some(name) = after.strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
                continue;
            };
            if !page.contains(&format!("fB{name}fR (")) {
                complaints.push(format!("{}:{}: {name}", source.path, source.line_of(at)));
            }
        }
    }
    settle(&complaints, "list the code in its room's CODES, then write the manual anew");
}

fn markdown() -> Vec<(String, String)> {
    let mut pages: Vec<PathBuf> = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    for folder in ["docs", "examples"] {
        pages.extend(files(&root().join(folder), ".md"));
    }
    pages.iter().map(|path| (relative(path), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut complaints = Vec::new();
    for (path, text) in markdown() {
        let folder = root().join(&path).parent().unwrap().to_owned();
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split(')').next().unwrap_or_default();
            let target = target.split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains(':') && !folder.join(target).exists() {
                complaints.push(format!("{path}: {target}"));
            }
        }
    }
    settle(&complaints, "mend the link, or write the page");
}

/// The code spans of a line of Markdown.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Whether something of this name is declared in the tree.
fn is_declared(sources: &[Source], name: &str) -> bool {
    let kinds = ["fn", "struct", "enum", "trait", "const", "static", "mod", "macro_rules!"];
    let declares = |source: &Source| {
        kinds.iter().any(|kind| !places(&source.code, &format!("{kind} {name}")).is_empty())
    };
    sources.iter().any(declares)
}

/// What a span of evidence names that does not exist. Spans with spaces or other signs are not names.
fn missing(sources: &[Source], span: &str) -> Option<String> {
    let is_name = |text: &str| !text.is_empty() && text.bytes().all(is_word);
    if span.contains('/') || [".rs", ".toml", ".md", ".xml"].iter().any(|ending| span.ends_with(ending)) {
        let is_path = span.bytes().all(|byte| is_word(byte) || b"/.-".contains(&byte));
        return (is_path && !root().join(span).exists()).then(|| format!("there is no file {span}"));
    }
    let name = span.rsplit("::").next().unwrap_or_default();
    let names = span.split("::").all(is_name) && (span.contains("::") || name.contains('_'));
    (names && !is_declared(sources, name)).then(|| format!("nothing is called {name} ({span})"))
}

#[test]
fn evidence_exists() {
    let sources = sources(&["src", "tests", "benches"]);
    let mut complaints = Vec::new();
    for (path, start) in [("docs/assurance.md", "|"), ("ARCHITECTURE.md", "- **Invariant:**")] {
        let text = read(path);
        let lines = text.lines().enumerate().filter(|(_, line)| line.starts_with(start));
        let mut count = 0;
        for (number, line) in lines {
            count += 1;
            let found = spans(line).filter_map(|span| missing(&sources, span));
            complaints.extend(found.map(|what| format!("{path}:{}: {what}", number + 1)));
        }
        assert!(count > 5, "{path} has no lines that start with {start}");
    }
    settle(
        &complaints,
        "name the test or function that holds the claim now, or say that evidence is missing",
    );
}

#[test]
fn every_invariant_names_its_test() {
    let text = read("ARCHITECTURE.md");
    let invariants = text.lines().filter(|line| line.starts_with("- **Invariant:**"));
    let bare: Vec<_> =
        invariants.filter(|line| !line.contains("Held by") || spans(line).count() == 0).collect();
    let complaints: Vec<_> = bare.into_iter().map(str::to_owned).collect();
    settle(&complaints, "end the line with `Held by` and the tests or the compiler's errors that hold it");
}
