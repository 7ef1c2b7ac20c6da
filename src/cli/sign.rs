//! `fedroot sign`: review, approve, record, sign.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::progress::Progress;
use super::prompt::{Answers, Passphrase};
use super::review::{self, Subject};
use super::ui::Output;
use super::{Common, document, is_stream, parsed, quoted, ui};
use crate::artefact::{Kind, kind};
use crate::base::bytes::Digest;
use crate::base::fault::Fault;
use crate::base::random;
use crate::base::text::visible;
use crate::ceremony::{self, Copied, Done, Signing, Target};
use crate::custody::Catalogue;
use crate::key::Line;

/// `fedroot sign`
#[derive(Args, Debug)]
pub(super) struct Sign {
    #[command(flatten)]
    pub(super) subject: Subject,
    /// The file for the signed document; it must not exist. A name that ends in .gz gets it compressed; - is standard output.
    /// For a federation the folder of its tree, which is renewed
    #[arg(long, short, value_name = "FILE", required_unless_present = "split")]
    output: Option<PathBuf>,
    /// While a key is rotated: the file for the same document signed by the other key, the successor or the predecessor whose
    /// notice runs; it must not exist. With --split the folder for the same documents
    #[arg(long, value_name = "FILE")]
    pub(super) copy: Option<PathBuf>,
    /// Sign each entity on its own, into this folder, as the Metadata Query Protocol names them; what stands there unchanged
    /// and valid long enough is kept
    #[arg(long, value_name = "DIR", conflicts_with = "output")]
    split: Option<PathBuf>,
    /// Remove the files of what is no longer in the document or the folder; only with --split, and for a federation
    #[arg(long)]
    pub(super) prune: bool,
    #[command(flatten)]
    passphrase: Passphrase,
    /// Open the key with this age identity file, which only its owner may read
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Why, for the ledger
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// Confirm the request with the digest that `fedroot review` printed; for --copy that of the copy too, which
    /// `fedroot review --copy` prints
    #[arg(long, value_name = "sha256:…", value_parser = parsed::<Digest>)]
    confirm: Vec<Digest>,
    /// Check everything and say what would be done, and sign nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

impl Sign {
    pub(super) fn run(mut self, common: &Common) -> Result<Output, Fault> {
        let is_tree = kind(&self.subject.kind)?.is_tree();
        if is_tree && self.output.as_deref().is_some_and(is_stream) {
            return Err(super::USAGE
                .fault("a tree of documents does not fit into standard output; nothing was signed")
                .hint("--output DIR names its folder"));
        }
        if is_stream(&self.subject.document) && self.passphrase.is_standard_input() {
            return Err(super::USAGE
                .fault("document and passphrase cannot both come from standard input; nothing was signed")
                .hint("give one of them as a file, or from another descriptor: --passphrase-fd 3 3<FILE"));
        }
        if let Some(folder) = if is_tree { self.output.take() } else { self.split.take() } {
            return super::split::run(&self, &folder, common);
        }
        if self.prune {
            return Err(super::USAGE
                .fault("--prune removes files of a batch, and this is none")
                .hint("give it with --split, or for a federation"));
        }
        let path = self.output.take().unwrap_or_default();
        let folder = if is_stream(&path) { super::scratch()? } else { PathBuf::new() };
        let output = target(&path, common, &folder)?;
        let kind = kind(&self.subject.kind)?;
        let mut vault = common.open_vault()?;
        let progress = Progress::reading("reviewing and signing");
        let open = |path: &Path| progress.watch(document(path, |path| kind.open(path))?, 2);
        let signing = Signing {
            kind,
            document: &self.subject.document,
            open: &open,
            line: &self.subject.line,
            version: None,
            environment: self.subject.environment,
            output,
            copy: self.copy.as_deref(),
            reason: self.reason.as_deref(),
            released: self.subject.release_brake.as_deref(),
            dry_run: self.dry_run,
        };
        let mut answers = self.answers(common, progress.clone());
        let done = ceremony::sign(&mut vault, &signing, &mut answers, &mut random::system())?;
        let copied = self.copy.as_ref().map_or(String::new(), |path| path.display().to_string());
        let document = &self.subject.document;
        let elsewhere = kind.belongs_into(document, &path).filter(|_| !is_stream(&path));
        let belongs =
            elsewhere.zip(path.file_name()).map_or(path.clone(), |(folder, name)| folder.join(name));
        let put = elsewhere.map_or(String::new(), |folder| {
            format!("put it and what stands beside it into {}, then ", quoted(folder))
        });
        let verify = quoted(kind.to_verify(document, &belongs));
        let next = format!("{put}fedroot verify {} {verify} --trust PUBLIC.pem", kind.name());
        let mut output = told((&path, &next), &copied, kind.is_secret(), done);
        if self.copy.is_none()
            && let Some(why) = without_copy(&vault, &self.subject.line, kind)
        {
            output.warn(why);
        }
        Ok(if is_stream(&path) { output.aside() } else { output })
    }

    /// What answers the questions of the act.
    pub(super) fn answers(&self, common: &Common, progress: Progress) -> Answers {
        Answers {
            passphrase: self.passphrase.clone(),
            identity: self.identity.clone(),
            confirm: self.confirm.clone(),
            batch: common.batch,
            show: !common.json,
            progress,
        }
    }
}

/// What to say where another key of the line signs copies, and none was asked for.
pub(super) fn without_copy(catalogue: &Catalogue, line: &Line, kind: &dyn Kind) -> Option<String> {
    let other = ceremony::other_signer(catalogue, line, kind, super::now()).ok()?;
    Some(format!(
        "without --copy nobody who has pinned {} only gets anything newer: sign with it while a key is rotated",
        line.version(other)
    ))
}

/// Where the signed document goes.
fn target<'a>(path: &'a Path, common: &Common, folder: &'a Path) -> Result<Target<'a>, Fault> {
    if !is_stream(path) {
        return Ok(Target::File(path));
    }
    ui::check_stream("a signed document", common.json)?;
    Ok(Target::Stream { name: "standard output", folder, deliver: &ui::deliver })
}

/// What is said of it.
fn told((path, next): (&Path, &str), copied: &str, is_secret: bool, done: Done) -> Output {
    let Done { review, signed, beside, copy, afterthought } = done;
    let key = review.key.clone();
    let mut output = review::json(review);
    let name = path.display().to_string();
    let Some(signed) = signed else { return foretold(output, name, copied, &beside, copy.as_ref()) };
    let digest = signed.artefact.to_string();
    let others = signed.beside.iter();
    let others = others.map(|(name, digest)| json!({"output": name, "digest": digest.to_string()}));
    let written = json!({
        "output": name,
        "digest": digest,
        "beside": others.collect::<Vec<_>>(),
        "ledger_intent": signed.intent,
    });
    output.json.extend(Output::json(written).json);
    output.line(format!("{digest}  {}", visible(&name)));
    for (name, digest) in &signed.beside {
        output.line(format!("{digest}  {}", visible(name)));
    }
    output.note(format!("signed with {key}; the ledger has it as entry {}", signed.intent));
    if let Some((copy, signed)) = copy.and_then(|copy| Some((copy.review, copy.signed?))) {
        let (digest, key) = (signed.artefact.to_string(), copy.key.to_string());
        output.line(format!("{digest}  {}", visible(copied)));
        output.note(format!("the copy is signed with {key}; the ledger has it as entry {}", signed.intent));
        let told = json!({"output": copied, "digest": digest, "key": key, "ledger_intent": signed.intent});
        output.json.insert("copy".into(), told);
    }
    if let Some(fault) = afterthought {
        output.warn(format!("the next review cannot tell what changed: {fault}"));
    }
    if is_secret {
        let what = if is_stream(path) {
            "the document is a secret"
        } else {
            "the file is a secret, and only you can read it (mode 0600)"
        };
        output.warn(format!(
            "{what}: whoever has it can use it; hand it over over a private channel, then destroy it"
        ));
    } else if !is_stream(path) {
        output.note("only you can read the file (mode 0600): open it up where it is published");
    }
    if !is_stream(path) {
        output.note(format!("next: {next}"));
    }
    output
}

/// What a dry run says of it.
fn foretold(
    mut output: Output,
    name: String,
    copied: &str,
    beside: &[PathBuf],
    copy: Option<&Copied>,
) -> Output {
    let mut writes = vec![name];
    writes.extend(beside.iter().map(|path| path.display().to_string()));
    let (entries, ledger) = if copy.is_some() {
        ("four ledger entries: intent and outcome, twice", ["intent", "outcome"].repeat(2))
    } else {
        ("two ledger entries: intent, outcome", vec!["intent", "outcome"])
    };
    writes.extend(copy.is_some().then(|| copied.to_owned()));
    output.json.extend(Output::json(json!({"dry_run": true, "writes": writes, "ledger": ledger})).json);
    output.line("nothing was signed; it would write");
    for name in &writes {
        output.row("file", name);
    }
    output.line(format!("  {entries}"));
    if let Some(copy) = copy {
        let request = copy.review.request.digest().to_string();
        output.row("copy signed with", &copy.review.key.to_string());
        output.row("request digest", &request);
        let told = json!({"key": copy.review.key.to_string(), "request": request});
        output.json.insert("copy".into(), told);
    }
    output
}
