//! `fedroot sign --split`: each entity on its own, as one batch.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicU64;

use serde_json::json;

use super::progress::Progress;
use super::sign::Sign;
use super::ui::Output;
use super::{Common, document, quoted, review};
use crate::artefact::{Standing, kind};
use crate::base::fault::Fault;
use crate::base::text::counted;
use crate::ceremony::{self, Batched, Published, Splitting, Terms};

/// Entities that are shown to people; JSON has all of them.
const SHOWN_MAX: usize = 20;

/// Splits and signs.
pub(super) fn run(sign: &Sign, folder: &Path, common: &Common) -> Result<Output, Fault> {
    let mut vault = common.open_vault()?;
    let subject = &sign.subject;
    let terms = Terms {
        version: None,
        line: &subject.line,
        environment: subject.environment,
        released: subject.release_brake.as_deref(),
        now: vault.now(),
    };
    let signed = AtomicU64::new(0);
    let kind = kind(&subject.kind)?;
    let splitting = Splitting {
        kind,
        document: &subject.document,
        open: &|path| document(path, |path| kind.open(path)),
        terms,
        folder,
        copy: sign.copy.as_deref(),
        reason: sign.reason.as_deref(),
        prune: sign.prune,
        dry_run: sign.dry_run,
        signed: &signed,
        scratch: &super::scratch()?,
    };
    let mut answers = sign.answers(common, Progress::working("reviewing and signing"));
    let mut batched = ceremony::sign_batch(&mut vault, &splitting, &mut answers)?;
    let copied = batched.copy.take();
    let mut output = Output::default();
    show(&mut output, sign, folder, kind.is_tree(), &batched);
    let copy = sign.copy.as_deref().zip(copied);
    if let Some((folder, copied)) = &copy {
        show(&mut output, sign, folder, false, copied);
        if sign.dry_run {
            output.row("copy signed with", &copied.review.key.to_string());
            output.row("request digest", &copied.review.request.digest().to_string());
        }
    }
    // It has every document, and is large.
    if common.json {
        output = Output { notes: output.notes, ..json(folder, batched) };
        if let Some((folder, copied)) = copy {
            output.member("copy", json(folder, *copied));
        }
    }
    Ok(output)
}

fn show(output: &mut Output, sign: &Sign, folder: &Path, is_tree: bool, batched: &Batched) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for document in &batched.documents {
        *counts.entry(word(document)).or_default() += 1;
    }
    if sign.dry_run {
        output.line("nothing was signed; it would sign what is not unchanged");
    }
    output.row("folder", &folder.display().to_string());
    for (word, count) in counts {
        output.row(word, &count.to_string());
    }
    list(output, batched);
    for gone in batched.gone.iter().take(SHOWN_MAX) {
        output.row(if batched.removed > 0 { "removed" } else { "gone" }, &gone.id);
    }
    if !batched.gone.is_empty() && batched.removed == 0 {
        let (count, place) = (batched.gone.len(), if is_tree { "folder" } else { "document" });
        output
            .note(format!("no longer in the {place}: {count}; their files stand, and --prune removes them"));
    }
    if sign.dry_run {
        return;
    }
    match &batched.signed {
        Some(signed) => output.note(format!(
            "{} signed with {}: entry {} of the ledger",
            counted(signed.artefacts.len() as u64, "document", "documents"),
            batched.review.key,
            signed.intent
        )),
        None if batched.changed => output.note("nothing had to be signed"),
        None => output.note("nothing changed and nothing had to be signed"),
    }
    if let Some(fault) = &batched.afterthought {
        output.note(format!("the next review cannot tell what changed: {fault}"));
    }
    if batched.signed.is_some() {
        output.note("only you can read new files (mode 0600): open them up where they are published");
    }
    let first = batched
        .documents
        .iter()
        .find(|document| document.standing != Standing::Current && !document.is_adopted);
    if let Some(first) = first.filter(|_| sign.copy.is_some()) {
        let name = folder.join(first.names.first().map_or("", String::as_str));
        output.note(format!(
            "for all of them stands {}: once it is seen where it is published, tell with `fedroot observe`",
            quoted(&name)
        ));
    }
    let place = if is_tree { folder.to_owned() } else { folder.join("entities") };
    output.note(format!("next: publish {}", quoted(&place)));
}

/// What is about to be, or was, signed, by name.
fn list(output: &mut Output, batched: &Batched) {
    let mut touched = batched.documents.iter().filter(|document| word(document) != Standing::Current.name());
    for document in touched.by_ref().take(SHOWN_MAX) {
        output.row(word(document), &document.id);
    }
    let more = touched.count();
    if more > 0 {
        output.line(format!("  … {more} more, in --json"));
    }
}

fn word(document: &Published) -> &'static str {
    if document.is_adopted { "resumed" } else { document.standing.name() }
}

fn json(folder: &Path, batched: Batched) -> Output {
    let document = |document: Published| {
        let (digest, bytes) = document.file.unzip();
        json!({
            "id": &*document.id,
            "names": &*document.names,
            "status": word(&document),
            "digest": digest.map(|digest| digest.to_string()),
            "bytes": bytes,
            "valid_until": document.valid_until.map(|until| until.to_string()),
            "content": document.content.to_string(),
        })
    };
    let gone = |gone: ceremony::Gone| json!({"id": gone.id, "names": gone.names});
    let mut output = review::json(batched.review);
    output.json.extend(
        Output::json(json!({
            "output": folder.display().to_string(),
            "changed": batched.changed,
            "signed": batched.signed.as_ref().map_or(0, |signed| signed.artefacts.len()),
            "ledger_intent": batched.signed.as_ref().map(|signed| signed.intent),
            "removed": batched.removed,
        }))
        .json,
    );
    output.list("documents", batched.documents.into_iter().map(document));
    output.list("gone", batched.gone.into_iter().map(gone));
    output
}
