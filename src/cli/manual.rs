//! `fedroot manual`: the man pages, the completions and the page of rules, from the same definitions as the program itself.

use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory, ValueEnum};
use clap_complete::Shell;
use serde_json::json;

use super::ui::Output;
use super::{Arguments, examples, exit};
use crate::base::disk;
use crate::base::fault::Fault;
use crate::policy::RULES;

/// `fedroot manual`
#[derive(Args, Debug)]
pub(super) struct Manual {
    /// Where the folders man, completions and docs stand, or shall stand
    folder: PathBuf,
    /// Compare only, and refuse when anything is out of date
    #[arg(long)]
    check: bool,
}

impl Manual {
    pub(super) fn run(self) -> Result<Output, Fault> {
        let mut written = Vec::new();
        for (name, bytes) in pages()? {
            let path = self.folder.join(&name);
            let fresh = disk::exists(&path) && disk::read(&path, 1 << 20)? == bytes;
            if fresh {
                continue;
            }
            if self.check {
                return Err(disk::CHANGED
                    .fault(format!("{} is out of date", path.display()))
                    .hint("run `fedroot manual .` in the repository and commit what it writes"));
            }
            write(&path, &bytes)?;
            written.push(name);
        }
        let mut output = Output::json(json!({"written": written}));
        for name in written {
            output.line(name);
        }
        Ok(output)
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    if let Some(folder) = path.parent() {
        disk::create_folder(folder)?;
    }
    disk::replace(path, bytes)
}

fn pages() -> Result<Vec<(String, Vec<u8>)>, Fault> {
    let mut command = Arguments::command();
    command.build();
    let mut pages = Vec::new();
    for shell in Shell::value_variants() {
        let mut text = Vec::new();
        clap_complete::generate(*shell, &mut Arguments::command(), "fedroot", &mut text);
        pages.push((format!("completions/fedroot.{shell}"), text));
    }
    man(&command, "fedroot", None, &mut pages)?;
    pages.push(("docs/rules.md".into(), rules().into_bytes()));
    Ok(pages)
}

/// One page for each command, named as people type it, with dashes.
fn man(
    command: &Command,
    name: &str,
    above: Option<&str>,
    pages: &mut Vec<(String, Vec<u8>)>,
) -> Result<(), Fault> {
    let path = format!("man/{name}.1");
    let failed = |e: std::io::Error| disk::fault("write", Path::new(&path), &e);
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_owned();
    let titled = command.clone().name(name.to_owned()).display_name(name.to_owned()).override_usage(usage);
    let page = clap_mangen::Man::new(titled).date("").source("fedroot").manual("fedroot manual");
    let mut text = Vec::new();
    page.render(&mut text).map_err(failed)?;
    // a page has no summary beside it
    let text = String::from_utf8_lossy(&text).replace(r" (see a summary with \*(Aq\-h\*(Aq)", "");
    let typed = command.get_bin_name().and_then(|typed| typed.strip_prefix("fedroot ")).unwrap_or_default();
    let more = above.map_or_else(reference, |above| pointers(typed, above));
    pages.push((path, (text + &more.to_roff()).into_bytes()));
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        man(inner, &format!("{name}-{}", inner.get_name()), Some(name), pages)?;
    }
    Ok(())
}

/// The page of rules, for people who write profiles.
fn rules() -> String {
    let mut page = format!(
        "# Rules\n\nWhat `fedroot review` and `fedroot sign` look for: {} rules. This page is written by `fedroot manual` from the table that the program goes by.\n\n",
        RULES.iter().count()
    );
    page.push_str(
        "A rule blocks (nothing is signed), warns, or notes. A profile gives a rule another weight with a line in `[rules]`, such as `\"saml.endpoint.http\" = \"block\"`, and lets single breaches pass with a waiver that has a reason, an approver and an end: see [the vault's format](formats/vault.md#profiletoml). In the built-in profile of a sandbox line, the rules marked with a star only warn. No profile and no waiver changes a rule that is firm; one that is firm but for one subject has no other weight in any profile, and a waiver of it names whom it lets pass.\n\n",
    );
    page.push_str("| rule | weight | what it demands | what to do | source |\n|---|---|---|---|---|\n");
    for rule in RULES.iter() {
        let star = match (rule.is_lenient_in_sandbox, rule.is_firm) {
            _ if rule.is_personal => ", firm but for one subject",
            (true, _) => " *",
            (_, true) => ", firm",
            _ => "",
        };
        let cells = [rule.sentence, rule.remedy, rule.source].map(|cell| cell.replace('|', "\\|"));
        page.push_str(&format!(
            "| `{}` | {}{star} | {} |\n",
            rule.id,
            rule.severity.name(),
            cells.join(" | ")
        ));
    }
    page
}

/// What the page of a command says beyond its options.
fn pointers(typed: &str, above: &str) -> roff::Roff {
    use roff::{bold, roman};
    let mut page = roff::Roff::new();
    for (n, example) in examples::of(typed).enumerate() {
        let (control, title) = if n == 0 { ("SH", &["EXAMPLES"][..]) } else { ("PP", &[][..]) };
        page.control(control, title.iter().copied()).text([roman(example)]);
    }
    exit_status(&mut page);
    page.control("SH", ["SEE ALSO"]);
    let main = if above == "fedroot" { vec![] } else { vec![bold(above), roman("(1), ")] };
    page.text(main.into_iter().chain([bold("fedroot"), roman("(1)")]).collect::<Vec<_>>());
    page
}

fn exit_status(page: &mut roff::Roff) {
    use roff::{bold, roman};
    page.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in exit::MEANINGS {
        page.control("TP", []).text([bold(code.to_string())]).text([roman(*meaning)]);
    }
}

/// What the main page says beyond its options: exit codes, string codes, rules.
fn reference() -> roff::Roff {
    use roff::{bold, roman};
    let mut page = roff::Roff::new();
    exit_status(&mut page);
    page.control("SH", ["ERROR CODES"]);
    page.text([roman("With --json the member code names the reason; the number is the exit status.")]);
    for code in exit::codes() {
        let status = exit::code(code.class);
        page.control("TP", [])
            .text([bold(code.name), roman(format!(" ({status})"))])
            .text([roman(code.meaning)]);
    }
    page.control("SH", ["RULES"]);
    for rule in RULES.iter() {
        page.control("TP", []).text([bold(rule.id), roman(format!(" ({})", rule.severity.name()))]);
        page.text([roman(format!("{}. {}. Source: {}.", rule.sentence, rule.remedy, rule.source))]);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a page is of a command without further ones: no other page's name goes on from its own.
    fn of_leaf(name: &str) -> bool {
        let above = name.trim_end_matches(".1").to_owned() + "-";
        !pages().unwrap().iter().any(|(other, _)| other.starts_with(&above))
    }

    #[test]
    fn every_page_stands_for_itself() {
        for (name, page) in pages().unwrap().into_iter().filter(|(name, _)| name.starts_with("man/")) {
            let page = String::from_utf8(page).unwrap();
            for said in ["EXIT STATUS", "FEDROOT_VAULT"] {
                assert!(page.contains(said), "{name} lacks {said}");
            }
            let is_leaf = of_leaf(&name);
            assert_eq!(page.contains(".SH EXAMPLES\nfedroot "), is_leaf, "{name}");
            assert_eq!(page.contains("SEE ALSO"), name != "man/fedroot.1", "{name}");
            assert!(!page.contains("summary with") && !page.contains("[\\fB"), "{name}");
        }
    }
}
