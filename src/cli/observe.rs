//! `fedroot observe`: that exactly this artefact was seen where it is published. Windows count from it. Or that it never was
//! published, and nothing has to wait for it.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::ui::Output;
use super::{Common, USAGE, document, parsed};
use crate::artefact::kind;
use crate::base::bytes::{Digest, Hashing};
use crate::base::clock::Instant;
use crate::base::disk::{self, Document};
use crate::base::fault::Fault;
use crate::ceremony::{self, Observed, Unpublished};
use crate::key::Line;
use crate::lifecycle::{Receipt, Source};
use crate::policy::is_place;

/// What stands for the certificate of a key, which is seen like a document.
const CERTIFICATE: &str = "certificate";

/// `fedroot observe`
#[derive(Args, Debug)]
pub(super) struct Observe {
    /// The kind of document, or `certificate`
    #[arg(value_name = "KIND", value_parser = kinds_and_certificate())]
    kind: String,
    /// The file exactly as it was fetched, of single entities any one of them; - is standard input. With --never-published also
    /// the digest of the file, sha256:…
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// When it was fetched
    #[arg(long, value_name = "TIME", required_unless_present = "never_published", value_parser = parsed::<Instant>)]
    seen_at: Option<Instant>,
    /// The URL that it was fetched from
    #[arg(long, value_name = "URL", required_unless_present_any = ["said", "never_published"], value_parser = url)]
    from: Option<String>,
    /// Nobody fetched it, and an officer says, with this reason, that it stands everywhere
    #[arg(long, value_name = "REASON", conflicts_with = "from")]
    said: Option<String>,
    /// An adopted key signed it before it was adopted, so that the vault does not know of it: what is outstanding of that time
    /// is then waited for
    #[arg(long)]
    before_adoption: bool,
    /// It was signed and never published, and an officer answers for that, with this reason and by name in the ledger: no move
    /// waits for it any longer, unless it is seen after all
    #[arg(long, value_name = "REASON", conflicts_with_all = ["seen_at", "from", "said", "before_adoption"])]
    never_published: Option<String>,
    /// The key line whose keys it lists; found by the digest, or the key, when absent
    #[arg(long, value_name = "LINE", value_parser = parsed::<Line>)]
    key: Option<Line>,
}

fn kinds_and_certificate() -> clap::builder::PossibleValuesParser {
    let names = crate::artefact::KINDS.iter().map(|kind| kind.name()).chain([CERTIFICATE]);
    clap::builder::PossibleValuesParser::new(names)
}

/// A place that a file is fetched from: the profile's publication points are written the same way.
fn url(text: &str) -> Result<String, String> {
    let why = "it is no URL: write it as https://md.example.org/federation.xml";
    is_place(text).then(|| text.to_owned()).ok_or_else(|| why.into())
}

impl Observe {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        if let Some(reason) = &self.never_published {
            return self.never(reason, common);
        }
        let document = self.document()?;
        let digest = digest(&document)?;
        let from = match (self.from, &self.said) {
            (Some(from), _) => Source::Point(from),
            (None, said) => Source::Said(said.clone().unwrap_or_default()),
        };
        // clap asks for it
        let seen = self.seen_at.unwrap_or_else(super::now);
        let receipt = Receipt { digest, seen, from };
        let mut vault = common.open_vault()?;
        if self.before_adoption {
            let artefact = (kind(&self.kind)?, &document);
            let (line, reason) = (self.key.as_ref(), self.said.as_deref());
            let (key, entry) = ceremony::observe_elsewhere(&mut vault, line, artefact, &receipt, reason)?;
            let mut output = Output::json(json!({
                "key": key.to_string(), "digest": digest.to_string(), "seen": seen.to_string(), "entry": entry,
            }));
            output.line(format!("{key} signed {digest} before it was adopted"));
            output.note(format!("the ledger has it as entry {entry}"));
            return Ok(output);
        }
        let noted = ceremony::observe(&mut vault, self.key.as_ref(), &receipt, self.said.as_deref())?;
        let receipts = noted.iter().map(|Observed { line, entry, elsewhere, .. }| {
            json!({"line": line.to_string(), "entry": entry, "counts": elsewhere.is_empty(), "points": elsewhere})
        });
        let mut output = Output::json(json!({
            "digest": digest.to_string(),
            "seen": seen.to_string(),
            "changed": noted.iter().any(|observed| observed.is_new),
            "receipts": receipts.collect::<Vec<_>>(),
        }));
        for Observed { line, entry, is_new, elsewhere } in noted {
            output.line(format!("{line}: {digest} was seen at {seen}"));
            let already = if is_new { "" } else { " already" };
            output.note(format!("the ledger has it{already} as entry {entry}"));
            if !elsewhere.is_empty() {
                let points = elsewhere.join(", ");
                output.warn(format!(
                    "no window of {line} counts from it: its profile names other points: {points}"
                ));
            }
        }
        Ok(output)
    }

    fn document(&self) -> Result<Document, Fault> {
        document(&self.file, |path| match self.kind.as_str() {
            CERTIFICATE => Document::open(path),
            name => kind(name)?.open_signed(path),
        })
    }

    /// Notes that it was never published. What was signed by mistake may be gone: then its digest will do.
    fn never(&self, reason: &str, common: &Common) -> Result<Output, Fault> {
        if reason.trim().is_empty() {
            return Err(USAGE.fault("--never-published wants a reason").hint("say why nobody can have it"));
        }
        let digest = match self.file.to_str().and_then(|text| text.parse().ok()) {
            Some(digest) => digest,
            None => digest(&self.document()?)?,
        };
        let mut vault = common.open_vault()?;
        let noted = ceremony::withhold(&mut vault, self.key.as_ref(), &digest, reason)?;
        let lines = noted.iter().map(|it| json!({"line": it.line.to_string(), "entry": it.entry}));
        let mut output = Output::json(json!({
            "digest": digest.to_string(),
            "changed": noted.iter().any(|it| it.is_new),
            "never_published": lines.collect::<Vec<_>>(),
        }));
        for Unpublished { line, entry, is_new } in noted {
            output.line(format!("{line}: no move waits for {digest}: it was never published, as you say"));
            let already = if is_new { "" } else { " already" };
            output.note(format!("the ledger has it{already} as entry {entry}, with your name"));
        }
        output.warn("whoever has the document all the same believes it: destroy every copy, and tell with `fedroot observe` should it be seen");
        Ok(output)
    }
}

fn digest(document: &Document) -> Result<Digest, Fault> {
    let mut hashing = Hashing::new(document.reader());
    std::io::copy(&mut hashing, &mut std::io::sink())
        .map_err(|e| disk::fault("read", document.name().as_ref(), &e))?;
    Ok(hashing.finish().0)
}
