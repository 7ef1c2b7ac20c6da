//! `fedroot review`: look at a document as its signature would cover it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::progress::Progress;
use super::ui::{Listed, Output};
use super::{Common, document, kinds, page, parsed, quoted};
use crate::artefact::kind;
use crate::base::clock::{Clock, SystemClock};
use crate::base::disk;
use crate::base::fault::Fault;
use crate::base::random;
use crate::base::text::{visible, visible_value};
use crate::base::words;
use crate::ceremony;
use crate::key::{Environment, Line};
use crate::policy::{self, Change, Difference, EntityChange, Fact, Memory, Said, Severity};

/// Values of one path that are shown to people; JSON has all of them.
const VALUES_SHOWN_MAX: usize = 20;
/// Breaches of one rule that are shown to people.
const BREACHES_SHOWN_MAX: usize = 3;
/// New and changed documents of a batch that are told in full.
const DOCUMENTS_SHOWN_MAX: usize = 50;
/// Lines that say what entities say now.
const LINES_OF_VALUES_MAX: usize = 40;
/// Stands before each value of a part of which it is not told apart what is new.
const NOW: &str = "now: ";
/// What stands for values where nothing that has one differs.
pub(super) const UNTOLD: &str =
    "not told apart: an extension, an instruction, the order of things, or what else has no value here";
/// Characters of one text on such a line; the page and JSON have more.
const LINE_CHARS_MAX: usize = 120;

/// `fedroot review`
#[derive(Args, Debug)]
pub(super) struct Review {
    #[command(flatten)]
    subject: Subject,
    /// Write the review as a page for a browser, too; the file must not exist
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Review it as a document of which each entity is signed on its own
    #[arg(long)]
    split: bool,
    /// While a key is rotated: review it as the copy that the other key signs (sign --copy)
    #[arg(long)]
    copy: bool,
}

/// What is reviewed, and for which key.
#[derive(Args, Debug)]
pub(super) struct Subject {
    /// The kind of document
    #[arg(value_parser = kinds())]
    pub(super) kind: String,
    /// The document, or one compressed with gzip; - reads standard input
    #[arg(value_name = "FILE")]
    pub(super) document: PathBuf,
    /// The key line: TENANT/ENVIRONMENT/PURPOSE
    #[arg(long = "key", value_name = "LINE", value_parser = parsed::<Line>)]
    pub(super) line: Line,
    /// Refuse a key of another environment than this one
    #[arg(long, value_name = "ENVIRONMENT", value_parser = parsed::<Environment>)]
    pub(super) environment: Option<Environment>,
    /// Let pass what the profile's brake stops, for this reason; it is part of the request, and recorded
    #[arg(long, value_name = "REASON")]
    pub(super) release_brake: Option<String>,
}

impl Review {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        let Subject { kind: name, document: path, line, environment, release_brake } = self.subject;
        let catalogue = common.catalogue()?;
        let progress = Progress::reading("reviewing");
        let (kind, now, random) = (kind(&name)?, SystemClock.now(), &mut random::system());
        let scratch = super::scratch()?;
        let document = progress.watch(document(&path, |path| kind.open_in(path, &scratch))?, 1)?;
        let released = release_brake.as_deref();
        let version = self.copy.then(|| ceremony::other_signer(&catalogue, &line, kind, now)).transpose()?;
        let terms = ceremony::Terms { line: &line, version, environment, released, now };
        let is_split = self.split || kind.is_tree();
        let review = if is_split {
            ceremony::review_split(&catalogue, kind, &document, terms, &scratch)?
        } else {
            ceremony::review(&catalogue, kind, &document, terms, random, None)?.0
        };
        let page = self.html.as_ref().map(|_| page::page(&review));
        let (text, refusal) = (screen(&review), review.check().err());
        let mut output = Output { text, refusal, ..json(review) };
        if let Some((file, page)) = self.html.as_ref().zip(page) {
            disk::create(file, page.as_bytes())?;
            output.json.insert("html".into(), file.display().to_string().into());
            output.note(format!("the review for a browser is in {}", file.display()));
        }
        let (path, vault) = (quoted(&path), common.vault_flag());
        let target = if self.split { "--split DIR" } else { "--output OUT" };
        let has_copy = self.copy || ceremony::other_signer(&catalogue, &line, kind, now).is_ok();
        let copy = if has_copy { " --copy COPY" } else { "" };
        output.note(format!("next: fedroot sign {name} {path} --key {line} {target}{copy}{vault}"));
        Ok(output)
    }
}

/// The review on one screen, for people.
pub(super) fn screen(review: &policy::Review) -> String {
    let mut text = format!("{} for {}\n", review.kind, review.key);
    facts(&mut text, review);
    profile(&mut text, review);
    findings(&mut text, review);
    changes(&mut text, review);
    let digest = review.request.digest();
    put(
        &mut text,
        format_args!(
            "request\n  {:<20} {}\n  {:<20} {digest}\n",
            "document", review.document, "request digest"
        ),
    );
    let words = words::of(digest.as_bytes());
    put(&mut text, format_args!("  {:<20} {} …\n", "in words", words.get(..6).unwrap_or_default().join(" ")));
    text
}

fn facts(text: &mut String, review: &policy::Review) {
    let shown = review.news().min(DOCUMENTS_SHOWN_MAX);
    let more = review.news() - shown;
    let more = (more > 0).then(|| {
        let what =
            format!("{more} more new or changed documents, less risky than these; --json has all of them");
        Ok(Cow::Owned(Fact { path: "more".into(), value: what, remark: None }))
    });
    let news = (0..shown).flat_map(|number| review.said(number));
    // Of each path: how many values it has, and where in the text those begin that are not shown.
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for fact in review.told().chain(news).chain(more).chain(review.listed()) {
        let fact = match fact {
            Ok(fact) => fact,
            Err(fault) => return put(text, format_args!("  … the rest cannot be read again: {fault}\n")),
        };
        let Fact { path, value, remark } = &*fact;
        if !counts.contains_key(path) {
            counts.insert(path.clone(), (0, 0));
        }
        let Some((count, end)) = counts.get_mut(path) else { continue };
        *count += 1;
        if *count <= VALUES_SHOWN_MAX {
            let remark =
                remark.as_deref().map_or(String::new(), |remark| format!("  ({})", visible_value(remark)));
            put(
                text,
                format_args!("  {:<20} {}{remark}\n", visible_value(path).to_string(), visible_value(value)),
            );
            *end = text.len();
        }
    }
    let mut more: Vec<_> = counts.iter().filter(|(_, (count, _))| *count > VALUES_SHOWN_MAX).collect();
    more.sort_unstable_by_key(|(_, (_, end))| std::cmp::Reverse(*end));
    for (path, (count, end)) in more {
        let (path, more) = (visible(path).to_string(), count - VALUES_SHOWN_MAX);
        text.insert_str(*end, &format!("  {path:<20} … {more} more, in --json\n"));
    }
}

fn findings(text: &mut String, review: &policy::Review) {
    text.push_str(if review.findings.is_empty() { "findings: none\n" } else { "findings\n" });
    for finding in &review.findings {
        let rule = finding.rule;
        let name = if finding.waived.is_some() { "waived" } else { finding.severity.name() };
        let is_quiet = finding.severity == Severity::Note || finding.waived.is_some();
        let shown = if is_quiet { 1 } else { BREACHES_SHOWN_MAX };
        for breach in finding.breaches.iter().take(shown) {
            put(text, format_args!("  {name:<6} {}: {}\n", rule.id, visible(&breach.to_string())));
        }
        let more = finding.count.saturating_sub(shown as u64);
        if more > 0 {
            put(text, format_args!("         … and {more} more\n"));
        }
        if let Some(waiver) = &finding.waived {
            let (approver, reason) = (visible(&waiver.approver), visible(&waiver.reason));
            put(text, format_args!("         waived by {approver}: {reason}\n"));
        } else if !is_quiet {
            put(text, format_args!("         {}\n", rule.remedy));
        }
    }
}

/// Which signature a document is compared with.
pub(super) const fn since(memory: Memory) -> &'static str {
    match memory {
        Memory::Earlier => {
            "an earlier signature: what was signed last left no record, or somebody exchanged it"
        }
        Memory::Whole | Memory::Gone => "the last signature",
    }
}

fn changes(text: &mut String, review: &policy::Review) {
    let Some(changes) = &review.changes else {
        return text.push_str(if review.memory == Memory::Gone {
            "changes: unknown, for the record of what this line signed last is gone, of an earlier version, or that of another document\n"
        } else {
            "changes: this line has not signed a document of this kind yet\n"
        });
    };
    let since = since(review.memory);
    if changes.is_none() {
        return put(text, format_args!("changes: none since {since}\n"));
    }
    put(text, format_args!("changes since {since}\n"));
    let Difference { unit, before, added, removed, changed, .. } = &**changes;
    if before + added > 0 {
        put(
            text,
            format_args!("  of {before} {unit}: {added} added, {removed} removed, {changed} changed\n"),
        );
    }
    let parts: Vec<_> = changes.parts.iter().map(|(part, count)| format!("{part} {count}")).collect();
    if !parts.is_empty() {
        put(text, format_args!("  {unit} that differ in: {}\n", parts.join(", ")));
    }
    items(text, changes);
    values_of(text, &changes.facts);
}

/// Other limits than those of the last signature: who reads the findings has to know.
fn profile(text: &mut String, review: &policy::Review) {
    let Some(changes) = review.changes.as_ref().filter(|changes| !changes.profile.is_empty()) else { return };
    put(text, format_args!("the profile of the line changed since {}\n", since(review.memory)));
    values_of(text, &changes.profile);
}

fn values_of(text: &mut String, changes: &[Change]) {
    for change in changes {
        for (sign, values) in [('-', &change.removed), ('+', &change.added)] {
            for value in values.iter().take(VALUES_SHOWN_MAX) {
                put(
                    text,
                    format_args!(
                        "  {sign} {:<18} {}\n",
                        visible_value(&change.path).to_string(),
                        visible_value(value)
                    ),
                );
            }
            if values.len() > VALUES_SHOWN_MAX {
                put(text, format_args!("  {sign} … {} more, in --json\n", values.len() - VALUES_SHOWN_MAX));
            }
        }
    }
}

/// What became of each entity, the riskiest first, and what it says now as long as there is room on the screen.
fn items(text: &mut String, changes: &Difference) {
    let unit = changes.unit;
    let item = match unit {
        "files" => "file",
        "documents" => "document",
        _ => "entity",
    };
    let (mut room, mut shows_keys, mut shows_all) = (LINES_OF_VALUES_MAX, false, false);
    for change in changes.entities.iter().take(VALUES_SHOWN_MAX) {
        let (sign, what) = match change.what {
            "removed" => ('-', item.to_owned()),
            "added" => ('+', item.to_owned()),
            _ if unit == "files" => ('~', item.to_owned()),
            _ => ('~', change.parts.join(", ")),
        };
        put(text, format_args!("  {sign} {what:<18} {}\n", visible(&change.entity)));
        let lines = values(changes, change);
        let shown = lines.len().min(room);
        room -= shown;
        shows_keys |= lines.iter().take(shown).any(|line| line.trim_start().starts_with("keys "));
        let is_unsure = change.what == "changed" && change.now.iter().any(|said| said.is_new.is_none());
        shows_all |= is_unsure && shown > 0;
        text.extend(lines.iter().take(shown).map(String::as_str));
        let left = lines.len() - shown;
        if left > 0 {
            text.push_str("    … what it says now is in --json and --html\n");
        } else if change.untold > 0 {
            put(text, format_args!("    … {} more values than a review has room for\n", change.untold));
        }
    }
    let more = (changes.entities.len() + changes.unlisted).saturating_sub(VALUES_SHOWN_MAX);
    if more > 0 {
        put(text, format_args!("  … {more} more {unit}, in --json\n"));
    }
    if shows_keys {
        text.push_str("  a key is shown as the SHA-256 of its SubjectPublicKeyInfo, in DER\n");
    }
    if shows_all {
        text.push_str("  'now' stands before all values of a part of which nobody can tell which are new, or in another order\n");
    }
}

/// What an entity says now: a few lines for each part, those of a changed entity more than those of one that is new.
fn values(changes: &Difference, change: &EntityChange) -> Vec<String> {
    let lines_max = if change.what == "added" { 1 } else { 3 };
    let mut lines = Vec::new();
    for values in change.now.chunk_by(|one, next| one.part == next.part) {
        let left = values.len().saturating_sub(lines_max);
        for (number, value) in values.iter().take(lines_max).enumerate() {
            let Said { part, what, value, remark, is_new } = value;
            let is_new = match is_new {
                Some(true) => "new: ",
                Some(false) => "as before: ",
                None if change.what == "changed" => NOW,
                None => "",
            };
            let what = if what.is_empty() { String::new() } else { format!("{}  ", cut(what)) };
            let remark = remark.as_ref().map_or(String::new(), |remark| format!("  ({})", cut(remark)));
            let more = if left > 0 && number + 1 == lines_max {
                format!(" … and {left} more")
            } else {
                String::new()
            };
            lines.push(format!("    {part:<18} {is_new}{what}{}{remark}{more}\n", cut(value)));
        }
    }
    lines.extend(changes.emptied(change).map(|part| format!("    {part:<18} none any more\n")));
    if changes.unit == "entities" && change.parts.contains(&"other") {
        lines.push(format!("    {:<18} {UNTOLD}\n", "other"));
    }
    lines
}

/// The beginning of a foreign text, on part of a line.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LINE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", visible_value(text.get(..end).unwrap_or_default())),
        None => visible_value(text).to_string(),
    }
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(what);
}

/// The review for programs.
pub(super) fn json(review: policy::Review) -> Output {
    let finding = |finding: &policy::Finding| {
        json!({
            "rule": finding.rule.id,
            "severity": finding.severity.name(),
            "count": finding.count,
            "breaches": finding.breaches,
            "waived": finding.waived,
            "remedy": finding.rule.remedy,
            "source": finding.rule.source,
        })
    };
    let value = json!({
        "kind": review.kind,
        "key": review.key.to_string(),
        "document": review.document.to_string(),
        "request": review.request.digest().to_string(),
        "confirmation_needed": review.request.is_severe(),
        "profile": review.profile.to_string(),
        "findings": review.findings.iter().map(finding).collect::<Vec<_>>(),
        "brake_released": review.released,
        "record_is_gone": review.memory == Memory::Gone,
        "record_is_earlier": review.memory == Memory::Earlier,
    });
    let mut output = Output::json(value);
    output.large("changes", review.changes);
    let (facts, items) = (review.facts.into_iter().map(Ok), review.items);
    let items = items.into_iter().flat_map(|items| {
        let (news, all) = (items.clone(), items);
        let said = (0..news.news()).flat_map(move |number| match news.said(number) {
            Ok(facts) => facts.into_iter().map(Ok).collect(),
            Err(fault) => vec![Err(fault)],
        });
        said.chain((0..all.count()).map(move |place| all.item(place)))
    });
    output.list("facts", facts.chain(items).map(Listed));
    output
}
