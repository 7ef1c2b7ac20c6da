//! `fedroot sign`: review, approve, record, sign.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::prompt::{Answers, Passphrase};
use super::review::{self, Subject};
use super::ui::Output;
use super::{Common, document, parsed, quoted};
use crate::artefact::kind;
use crate::base::bytes::Digest;
use crate::base::disk;
use crate::base::fault::Fault;
use crate::base::random;
use crate::base::text::visible;
use crate::ceremony::{self, Done, Signing};

/// `fedroot sign`
#[derive(Args, Debug)]
pub(super) struct Sign {
    #[command(flatten)]
    subject: Subject,
    /// The file for the signed document; it must not exist
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    passphrase: Passphrase,
    /// Open the key with this age identity file, which only its owner may read
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Why, for the ledger
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Confirm the request with the digest that `fedroot review` printed
    #[arg(long, value_name = "sha256:…", value_parser = parsed::<Digest>)]
    confirm: Option<Digest>,
    /// Check everything and say what would be done, and sign nothing
    #[arg(long)]
    dry_run: bool,
}

impl Sign {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        if disk::is_below(&self.output, common.vault()?) {
            let shown = self.output.display();
            return Err(super::USAGE
                .fault(format!("{shown} lies in the vault"))
                .hint("name a file outside it"));
        }
        let mut vault = common.open_vault()?;
        let kind = kind(&self.subject.kind)?;
        let signing = Signing {
            kind,
            document: &self.subject.document,
            open: &|path| document(path, |path| kind.open(path)),
            line: &self.subject.line,
            environment: self.subject.environment,
            output: &self.output,
            reason: self.reason.as_deref(),
            released: self.subject.release_brake.as_deref(),
            dry_run: self.dry_run,
        };
        let mut answers = Answers {
            passphrase: self.passphrase,
            identity: self.identity,
            confirm: self.confirm,
            batch: common.batch,
            show: !common.json,
        };
        let Done { review, signed, beside, afterthought } =
            ceremony::sign(&mut vault, &signing, &mut answers, &mut random::system())?;
        let mut output = Output { json: review::json(&review), ..Output::default() };
        let name = self.output.display().to_string();
        let Some(signed) = signed else {
            would_write(&mut output, name, &beside);
            return Ok(output);
        };
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
        output.note(format!("signed with {}; the ledger has it as entry {}", review.key, signed.intent));
        if let Some(fault) = afterthought {
            output.note(format!("the next review cannot tell what changed: {fault}"));
        }
        output.note(about_the_file(kind.is_secret()));
        output.note(format!(
            "next: fedroot verify {} {} --trust PUBLIC.pem",
            review.kind,
            quoted(&self.output)
        ));
        Ok(output)
    }
}

/// Who may read the file, and what to do with it.
const fn about_the_file(is_secret: bool) -> &'static str {
    if is_secret {
        "the file is a secret, and only you can read it (mode 0600): whoever has it can use it; hand it over over a private channel, then destroy it"
    } else {
        "only you can read the file (mode 0600): open it up where it is published"
    }
}

/// Says what would be written.
fn would_write(output: &mut Output, name: String, beside: &[PathBuf]) {
    let mut writes = vec![name];
    writes.extend(beside.iter().map(|path| path.display().to_string()));
    output.json.extend(
        Output::json(json!({"dry_run": true, "writes": writes, "ledger": ["intent", "outcome"]})).json,
    );
    output.line("nothing was signed; it would write");
    for name in &writes {
        output.row("file", name);
    }
    output.line("  two ledger entries: intent, outcome");
}
