//! `fedroot sign --split`: each entity on its own, as one batch.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicU64;

use serde_json::json;

use super::progress::Progress;
use super::sign::{Sign, without_copy};
use super::ui::{Listed, Output};
use super::{Common, USAGE, document, quoted, review};
use crate::artefact::{Standing, kind};
use crate::base::below::Strays;
use crate::base::disk;
use crate::base::fault::Fault;
use crate::base::text::counted;
use crate::ceremony::{self, Batched, Published, Splitting, Stands, Terms};

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
    let source = subject.document.as_path();
    if kind.is_tree() && (disk::is_within(folder, source) || disk::is_within(source, folder)) {
        return Err(USAGE
            .fault(format!(
                "{} and {} lie in one another; nothing was signed",
                folder.display(),
                source.display()
            ))
            .hint("name a folder of its own for what is published with --output"));
    }
    let scratch = super::scratch()?;
    let splitting = Splitting {
        kind,
        document: &subject.document,
        open: &|path| document(path, |path| kind.open_in(path, &scratch)),
        terms,
        folder,
        copy: sign.copy.as_deref(),
        reason: sign.reason.as_deref(),
        prune: sign.prune,
        dry_run: sign.dry_run,
        signed: &signed,
        scratch: &scratch,
    };
    let mut answers = sign.answers(common, Progress::working("reviewing and signing"));
    let mut batched = ceremony::sign_batch(&mut vault, &splitting, &mut answers)?;
    let copied = batched.copy.take();
    let mut output = Output::default();
    show(&mut output, sign, folder, kind.is_tree(), &batched)?;
    if sign.copy.is_none()
        && let Some(why) = without_copy(&vault, &subject.line, kind)
    {
        output.warn(why);
    }
    let copy = sign.copy.as_deref().zip(copied);
    if let Some((folder, copied)) = &copy {
        show(&mut output, sign, folder, false, copied)?;
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

fn show(
    output: &mut Output,
    sign: &Sign,
    folder: &Path,
    is_tree: bool,
    batched: &Batched,
) -> Result<(), Fault> {
    let Counted { counts, touched, first } = Counted::of(batched)?;
    if sign.dry_run {
        output.line("nothing was signed; it would sign what is not unchanged");
    }
    output.row("folder", &folder.display().to_string());
    for (word, count) in &counts {
        output.row(word, &count.to_string());
    }
    for (word, id) in &touched {
        output.row(word, id);
    }
    let more = counts.iter().filter(|(word, _)| **word != Standing::Current.name()).map(|(_, count)| count);
    let more = more.sum::<usize>() - touched.len();
    if more > 0 {
        output.line(format!("  … {more} more, in --json"));
    }
    for gone in batched.gone.iter().take(SHOWN_MAX) {
        output.row(if batched.removed > 0 { "removed" } else { "gone" }, &gone.id);
    }
    if !batched.gone.is_empty() && batched.removed == 0 {
        let (count, place) = (batched.gone.len(), if is_tree { "folder" } else { "document" });
        output
            .warn(format!("no longer in the {place}: {count}; their files stand, and --prune removes them"));
    }
    if batched.strays.count > 0 {
        output.warn(strays(&batched.strays));
    }
    if sign.dry_run {
        return Ok(());
    }
    if let Some(entry) = batched.resumed {
        output.note(format!("the ledger has what an interrupted run signed as entry {entry}"));
    }
    if let Some(entry) = batched.withdrawn {
        output.note(format!("the ledger has what left as entry {entry}"));
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
        output.warn(format!("the next review cannot tell what changed: {fault}"));
    }
    if batched.signed.is_some() {
        output.note("only you can read new files (mode 0600): open them up where they are published");
    }
    if let Some(first) = first.filter(|_| sign.copy.is_some()) {
        let name = folder.join(first);
        output.note(format!(
            "once one of them is seen where it is published, such as {}, tell with `fedroot observe`",
            quoted(&name)
        ));
    }
    let place = if is_tree { folder.to_owned() } else { folder.join("entities") };
    output.note(format!("next: publish {}", quoted(&place)));
    Ok(())
}

/// Names what stands in the folder and belongs to no document. It is not ours to take away.
fn strays(strays: &Strays) -> String {
    let more = strays.count - strays.named.len() as u64;
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let count = counted(strays.count, "file or folder belongs", "files or folders belong");
    format!("{count} to no document, and would be published: {}{more}", strays.named.join(", "))
}

/// What is told of all documents.
struct Counted {
    counts: BTreeMap<&'static str, usize>,
    /// What is about to be, or was, signed, by name: the first of it.
    touched: Vec<(&'static str, String)>,
    /// The name of the first that is signed anew.
    first: Option<String>,
}

impl Counted {
    fn of(batched: &Batched) -> Result<Self, Fault> {
        let (mut counts, mut touched, mut first) = (BTreeMap::new(), Vec::new(), None);
        let documents = &batched.documents;
        for at in 0..documents.count() {
            let (standing, is_adopted) = documents.stands(at)?;
            let word = word((standing, is_adopted));
            *counts.entry(word).or_default() += 1;
            if standing == Standing::Current {
                continue;
            }
            if touched.len() < SHOWN_MAX {
                touched.push((word, documents.get(at)?.id.to_string()));
            }
            if first.is_none() && !is_adopted {
                first = documents.get(at)?.names.first().cloned();
            }
        }
        Ok(Self { counts, touched, first })
    }
}

fn word((standing, is_adopted): Stands) -> &'static str {
    if is_adopted { "resumed" } else { standing.name() }
}

fn json(folder: &Path, batched: Batched) -> Output {
    let document = |document: &Published| {
        let (digest, bytes) = document.file.unzip();
        json!({
            "id": &*document.id,
            "names": &*document.names,
            "status": word((document.standing, document.is_adopted)),
            "digest": digest.map(|digest| digest.to_string()),
            "bytes": bytes,
            "valid_until": document.valid_until.map(|until| until.to_string()),
            "content": document.content.to_string(),
        })
    };
    let gone = |gone: ceremony::Gone| json!({"id": gone.id, "names": gone.names});
    let count = batched.documents.count();
    let mut output = review::json(batched.review);
    output.json.extend(
        Output::json(json!({
            "output": folder.display().to_string(),
            "changed": batched.changed,
            "signed": batched.signed.as_ref().map_or(0, |signed| signed.artefacts.len()),
            "ledger_intent": batched.signed.as_ref().map(|signed| signed.intent),
            "ledger_resumed": batched.resumed,
            "ledger_withdrawn": batched.withdrawn,
            "removed": batched.removed,
            "strays": {"count": batched.strays.count, "named": batched.strays.named},
        }))
        .json,
    );
    let documents = batched.documents;
    let listed = move |at| Listed(documents.get(at).map(|one| document(&one)));
    output.list("documents", (0..count).map(listed));
    output.list("gone", batched.gone.into_iter().map(gone));
    output
}
