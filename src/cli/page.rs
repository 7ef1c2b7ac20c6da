//! The review as one HTML file for people who want to look: no script, nothing from a network, every foreign text escaped
//! twice: once against markup, once against what shows nothing.

use std::fmt::Write;

use super::review::{UNTOLD, since};
use crate::base::text::html as safe;
use crate::base::words;
use crate::policy::{Change, Difference, EntityChange, Fact, Finding, Memory, Review, Said};

/// Rows that name entities or documents; JSON has all of them. What a document says stands there as a whole.
const ROWS_MAX: usize = 500;
/// Rows that say what new and changed documents of a batch say; the last document is there as a whole.
const NEWS_ROWS_MAX: usize = 10_000;

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--line:#d0d7de;--soft:#f3f5f7;--block:#a40e26;--warn:#8a5a00;--note:#57606a;--good:#116329}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;--line:#30363d;--soft:#161b22;--block:#ff8b85;--warn:#e3b341;--note:#9da7b3;--good:#6fdd8b}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:70rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
th{background:var(--soft);font-weight:600}td:first-child,th:first-child{white-space:nowrap}
code{font:14px/1.5 ui-monospace,monospace;overflow-wrap:anywhere}small{color:var(--note)}
.verdict{padding:.6rem 1rem;border:2px solid;border-radius:.4rem;font-weight:600}
.block{color:var(--block)}.warn{color:var(--warn)}.note,.waived{color:var(--note)}.good{color:var(--good)}
.words{columns:4 9rem;padding-left:2rem}ul{margin:.2rem 0;padding-left:1.2rem}
@media print{body{max-width:none;padding:0}}
";

/// How to compare a key that the page shows.
const KEYS: &str = "<p><small>A key is shown as the SHA-256 of its SubjectPublicKeyInfo: \
<code>openssl x509 -in CERT -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256</code></small></p>\n";

fn put(html: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = html.write_fmt(what);
}

/// The whole page.
pub(super) fn page(review: &Review) -> String {
    let mut html = String::from("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n");
    html.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n");
    let title = format!("Review of {} for {}", review.kind, safe(&review.key.to_string()));
    put(&mut html, format_args!("<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"));
    put(&mut html, format_args!("<h1>{title}</h1>\n"));
    verdict(&mut html, review);
    request(&mut html, review);
    profile(&mut html, review);
    findings(&mut html, &review.findings);
    changes(&mut html, review.changes.as_deref(), review.memory);
    facts(&mut html, review);
    html.push_str("</body>\n</html>\n");
    html
}

fn verdict(html: &mut String, review: &Review) {
    let blocking: u64 = review.blocking().map(|finding| finding.count).sum();
    if blocking > 0 {
        put(
            html,
            format_args!(
                "<p class=\"verdict block\">Refused: {blocking} blocking breaches. Nothing would be signed.</p>\n"
            ),
        );
    } else {
        html.push_str("<p class=\"verdict good\">No finding blocks. It could be signed.</p>\n");
    }
    if let Some(reason) = &review.released {
        put(html, format_args!("<p class=\"warn\">The brake is released: {}</p>\n", safe(reason)));
    }
}

fn request(html: &mut String, review: &Review) {
    let digest = review.request.digest();
    html.push_str("<h2>What is asked of the key</h2>\n<table>\n");
    for (name, value) in [
        ("request digest", digest.to_string()),
        ("document", review.document.to_string()),
        ("profile", review.profile.to_string()),
    ] {
        put(html, format_args!("<tr><th scope=\"row\">{name}</th><td><code>{value}</code></td></tr>\n"));
    }
    html.push_str("</table>\n<p>The request digest in words, to compare aloud:</p>\n<ol class=\"words\">\n");
    for word in words::of(digest.as_bytes()) {
        put(html, format_args!("<li>{word}</li>\n"));
    }
    html.push_str("</ol>\n");
}

fn findings(html: &mut String, findings: &[Finding]) {
    put(html, format_args!("<h2>Findings ({})</h2>\n", findings.len()));
    if findings.is_empty() {
        return html.push_str("<p class=\"good\">None.</p>\n");
    }
    html.push_str("<table>\n<tr><th scope=\"col\">weight</th><th scope=\"col\">what was found</th></tr>\n");
    for finding in findings {
        let name = if finding.waived.is_some() { "waived" } else { finding.severity.name() };
        let rule = finding.rule;
        put(
            html,
            format_args!(
                "<tr><td class=\"{name}\"><b>{name}</b><br><small>× {}</small></td><td><code>{}</code>: {}<ul>\n",
                finding.count,
                rule.id,
                safe(rule.sentence)
            ),
        );
        for breach in &finding.breaches {
            put(html, format_args!("<li>{}</li>\n", safe(&breach.to_string())));
        }
        let more = finding.count.saturating_sub(finding.breaches.len() as u64);
        if more > 0 {
            put(html, format_args!("<li>… and {more} more</li>\n"));
        }
        put(html, format_args!("</ul><small>{}. Source: {}</small>", safe(rule.remedy), safe(rule.source)));
        if let Some(waiver) = &finding.waived {
            let (approver, reason) = (safe(&waiver.approver), safe(&waiver.reason));
            put(html, format_args!("<br>Waived by {approver} until {}: {reason}", waiver.expires));
        }
        html.push_str("</td></tr>\n");
    }
    html.push_str("</table>\n");
}

fn changes(html: &mut String, changes: Option<&Difference>, memory: Memory) {
    put(html, format_args!("<h2>Changes since {}</h2>\n", since(memory)));
    let Some(changes) = changes else {
        return html.push_str(if memory == Memory::Gone {
            "<p class=\"warn\">Unknown: the record of what this line signed last is gone, of an earlier version, or that of another document.</p>\n"
        } else {
            "<p>This line has not signed a document of this kind yet.</p>\n"
        });
    };
    let Difference { unit, before, added, removed, changed, .. } = changes;
    put(
        html,
        format_args!("<p>Of {before} {unit}: {added} added, {removed} removed, {changed} changed.</p>\n"),
    );
    let parts: Vec<String> = changes.parts.iter().map(|(part, count)| format!("{part} {count}")).collect();
    if !parts.is_empty() {
        put(html, format_args!("<p>Changed in these {unit}: {}</p>\n", parts.join(", ")));
    }
    if changes.is_none() {
        return;
    }
    html.push_str("<table>\n<tr><th scope=\"col\">what</th><th scope=\"col\">where</th></tr>\n");
    values_of(html, &changes.facts);
    for change in changes.entities.iter().take(ROWS_MAX) {
        let parts = change.parts.join(", ");
        put(html, format_args!("<tr><td>{} {parts}</td><td>{}", change.what, safe(&change.entity)));
        values(html, changes, change);
        html.push_str("</td></tr>\n");
    }
    html.push_str("</table>\n");
    html.push_str(KEYS);
    let more = (changes.entities.len() + changes.unlisted).saturating_sub(ROWS_MAX);
    if more > 0 {
        put(html, format_args!("<p>… and {more} more {unit}, in --json</p>\n"));
    }
}

/// What was and what is.
fn values_of(html: &mut String, changes: &[Change]) {
    for change in changes {
        for (what, values) in [("was", &change.removed), ("is", &change.added)] {
            for value in values {
                put(
                    html,
                    format_args!("<tr><td>{} {what}</td><td>{}</td></tr>\n", safe(&change.path), safe(value)),
                );
            }
        }
    }
}

/// Other limits than those of the last signature.
fn profile(html: &mut String, review: &Review) {
    let Some(changes) = review.changes.as_ref().filter(|changes| !changes.profile.is_empty()) else { return };
    put(
        html,
        format_args!("<h2>The profile of the line changed since {}</h2>\n<table>\n", since(review.memory)),
    );
    values_of(html, &changes.profile);
    html.push_str("</table>\n");
}

/// What an entity says now.
fn values(html: &mut String, changes: &Difference, change: &EntityChange) {
    let is_untold = change.parts.contains(&"other") && changes.unit == "entities";
    if change.now.is_empty() && change.untold == 0 && changes.emptied(change).next().is_none() && !is_untold {
        return;
    }
    html.push_str("<ul class=\"now\">\n");
    for Said { part, what, value, remark, is_new } in &change.now {
        let is_new = match is_new {
            Some(true) => "<b>new</b> ",
            Some(false) => "<small>as before</small> ",
            None if change.what == "changed" => "<small>now</small> ",
            None => "",
        };
        let remark =
            remark.as_ref().map_or(String::new(), |remark| format!(" <small>({})</small>", safe(remark)));
        let what = safe(what);
        put(html, format_args!("<li>{part}: {is_new}{what} <code>{}</code>{remark}</li>\n", safe(value)));
    }
    for part in changes.emptied(change) {
        put(html, format_args!("<li>{part}: none any more</li>\n"));
    }
    if is_untold {
        put(html, format_args!("<li>other: {UNTOLD}</li>\n"));
    }
    if change.untold > 0 {
        put(html, format_args!("<li>… and {} more that this review has no room for</li>\n", change.untold));
    }
    html.push_str("</ul>\n");
}

fn facts(html: &mut String, review: &Review) {
    html.push_str("<h2>What the signature would cover</h2>\n<table>\n");
    let count = review.items.as_ref().map_or(0, |items| items.count());
    review.told().flatten().for_each(|fact| row(html, &fact));
    let (mut rows, mut number) = (0, 0);
    while number < review.news() && rows < NEWS_ROWS_MAX {
        for fact in review.said(number).flatten() {
            row(html, &fact);
            rows += 1;
        }
        number += 1;
    }
    review.listed().take(ROWS_MAX).flatten().for_each(|fact| row(html, &fact));
    html.push_str("</table>\n");
    let more = count.saturating_sub(ROWS_MAX);
    if more > 0 {
        put(html, format_args!("<p>… and {more} more, in --json</p>\n"));
    }
    let more = review.news() - number;
    if more > 0 {
        put(
            html,
            format_args!(
                "<p>… and what {more} more new or changed documents say, less risky than these, in --json</p>\n"
            ),
        );
    }
}

fn row(html: &mut String, fact: &Fact) {
    let remark =
        fact.remark.as_deref().map_or(String::new(), |remark| format!(" <small>({})</small>", safe(remark)));
    put(
        html,
        format_args!(
            "<tr><th scope=\"row\">{}</th><td>{}{remark}</td></tr>\n",
            safe(&fact.path),
            safe(&fact.value)
        ),
    );
}
