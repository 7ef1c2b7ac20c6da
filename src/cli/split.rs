//! `fedroot sign --split`: each entity on its own, as one batch.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicU64;

use serde_json::{Value, json};

use super::progress::Progress;
use super::sign::Sign;
use super::ui::Output;
use super::{Common, document, quoted, review};
use crate::artefact::{Standing, kind};
use crate::base::fault::Fault;
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
        reason: sign.reason.as_deref(),
        prune: sign.prune,
        dry_run: sign.dry_run,
        signed: &signed,
        scratch: &std::env::temp_dir(),
    };
    let mut answers = sign.answers(common, Progress::working("reviewing and signing"));
    let batched = ceremony::sign_batch(&mut vault, &splitting, &mut answers)?;
    let mut output = show(sign, folder, kind.is_tree(), &batched);
    // It has every document, and is large.
    if common.json {
        output.json = json(folder, &batched);
    }
    Ok(output)
}

fn show(sign: &Sign, folder: &Path, is_tree: bool, batched: &Batched) -> Output {
    let mut output = Output::default();
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
    list(&mut output, batched);
    for gone in batched.gone.iter().take(SHOWN_MAX) {
        output.row(if batched.removed > 0 { "removed" } else { "gone" }, &gone.id);
    }
    if !batched.gone.is_empty() && batched.removed == 0 {
        let count = batched.gone.len();
        output
            .note(format!("no longer in the document: {count}; their files stand, and --prune removes them"));
    }
    if sign.dry_run {
        return output;
    }
    match &batched.signed {
        Some(signed) => output.note(format!(
            "{} documents signed with {}; the ledger has them as entry {}",
            signed.artefacts.len(),
            batched.review.key,
            signed.intent
        )),
        None if batched.changed => output.note("nothing had to be signed"),
        None => output.note("nothing changed and nothing had to be signed"),
    }
    if let Some(fault) = &batched.afterthought {
        output.note(format!("the next review cannot tell what changed: {fault}"));
    }
    if batched.changed {
        output.note("only you can read new files (mode 0600): open them up where they are published");
    }
    let place = if is_tree { folder.to_owned() } else { folder.join("entities") };
    output.note(format!("next: publish {}", quoted(&place)));
    output
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

fn json(folder: &Path, batched: &Batched) -> serde_json::Map<String, Value> {
    let document = |document: &Published| {
        let (digest, bytes) = document.file.unzip();
        json!({
            "id": &*document.id,
            "names": &*document.names,
            "status": word(document),
            "digest": digest.map(|digest| digest.to_string()),
            "bytes": bytes,
            "valid_until": document.valid_until.map(|until| until.to_string()),
            "content": document.content.to_string(),
        })
    };
    let gone = |gone: &ceremony::Gone| json!({"id": gone.id, "names": gone.names});
    let mut json = review::json(&batched.review);
    json.extend(
        Output::json(json!({
            "output": folder.display().to_string(),
            "changed": batched.changed,
            "signed": batched.signed.as_ref().map_or(0, |signed| signed.artefacts.len()),
            "ledger_intent": batched.signed.as_ref().map(|signed| signed.intent),
            "documents": batched.documents.iter().map(document).collect::<Vec<_>>(),
            "gone": batched.gone.iter().map(gone).collect::<Vec<_>>(),
            "removed": batched.removed,
        }))
        .json,
    );
    json
}
