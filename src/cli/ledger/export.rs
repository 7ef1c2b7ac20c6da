//! `fedroot ledger export`: the entries in other formats, and what others check without us.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::show::check_read;
use crate::base::disk::{self, Document, Pending, PendingFolder};
use crate::base::fault::Fault;
use crate::ceremony;
use crate::cli::ui::{self, Output};
use crate::cli::{Common, USAGE, is_stream, number, prompt, scratch};
use crate::custody::Catalogue;
use crate::ledger::{self, Note, export, tiles};

/// `fedroot ledger export`
#[derive(Args, Debug)]
pub(in crate::cli) struct Export {
    /// What to write
    #[arg(long, value_enum)]
    format: Format,
    /// The file or folder to write; it must not exist. - is standard output, for csv, ecs and jsonl
    #[arg(long, short, value_name = "PATH")]
    output: PathBuf,
    /// The auditor's age identity file, for csv, ecs and jsonl
    #[arg(long, value_name = "FILE", required_if_eq_any = [("format", "csv"), ("format", "ecs"), ("format", "jsonl")])]
    identity: Option<PathBuf>,
    /// The checkpoint that tiles and evidence go by (the newest one of the vault by default)
    #[arg(long, value_name = "NOTE")]
    checkpoint: Option<PathBuf>,
    /// Prove this entry in the evidence (can be repeated; the last one of the checkpoint by default)
    #[arg(long = "entry", value_name = "INDEX", value_parser = number::<u64>)]
    entries: Vec<u64>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    /// Comma-separated values with a header, RFC 4180
    Csv,
    /// Elastic Common Schema, one document to a line
    Ecs,
    /// A folder that shows, without any secret, what the ledger was at a checkpoint
    Evidence,
    /// One JSON document to a line
    Jsonl,
    /// A folder of C2SP tlog-tiles, for transparency-log servers
    Tiles,
}

impl Export {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        let catalogue = &common.catalogue()?;
        if is_stream(&self.output) {
            ui::check_stream("an export of the ledger", common.json)?;
        } else if disk::exists(&self.output) {
            return Err(disk::EXISTS
                .fault(format!("{} exists already", self.output.display()))
                .hint("name another path with --output, or move the old one away"));
        }
        let log = ledger::open_log(&catalogue.ledger_folder())?;
        match self.format {
            Format::Csv => self.entries(&log, export::Format::Csv),
            Format::Ecs => self.entries(&log, export::Format::Ecs),
            Format::Jsonl => self.entries(&log, export::Format::Jsonl),
            Format::Tiles | Format::Evidence => self.folder(&log, catalogue),
        }
    }

    fn entries(&self, log: &Document, format: export::Format) -> Result<Output, Fault> {
        let identity = self.identity.as_deref().ok_or_else(|| USAGE.fault("no identity was named"))?;
        let identities = prompt::identities(identity)?;
        let is_stream = is_stream(&self.output);
        let path = if is_stream { scratch()?.join("the entries") } else { self.output.clone() };
        let pending = Pending::beside(&path)?;
        let mut buffered = std::io::BufWriter::new(pending);
        let (summary, unreadable) =
            export::entries(log.reader(), &identities, format, &mut buffered, &self.output)?;
        check_read(unreadable, &summary)?;
        let pending = buffered.into_inner().map_err(|e| disk::fault("write", &self.output, e.error()))?;
        if is_stream {
            ui::deliver(&mut pending.document("the entries")?.reader())?;
        } else {
            pending.publish()?;
        }
        let mut output = self.told(summary.entries);
        output.json.insert("unreadable".into(), unreadable.into());
        if unreadable > 0 {
            output.warn(format!(
                "{unreadable} entries do not open with this identity: they are there without a body"
            ));
        }
        output.warn("it holds in the clear what the ledger keeps confidential");
        Ok(if is_stream { output.aside() } else { output })
    }

    fn folder(&self, log: &Document, catalogue: &Catalogue) -> Result<Output, Fault> {
        if is_stream(&self.output) {
            return Err(USAGE.fault("a folder cannot go to standard output").hint("name one with --output"));
        }
        let note = self.note(catalogue)?;
        let size = note.checkpoint.size;
        let folder = PendingFolder::beside(&self.output)?;
        if self.format == Format::Tiles {
            tiles::export(log, &note, &folder)?;
        } else {
            let last = size.saturating_sub(1);
            let chosen = if self.entries.is_empty() { std::slice::from_ref(&last) } else { &self.entries };
            export::evidence(log, &note, chosen, &folder)?;
        }
        folder.publish()?;
        let mut output = self.told(size);
        output.note("it needs no secret, and shows times, kinds and sizes only");
        Ok(output)
    }

    fn note(&self, catalogue: &Catalogue) -> Result<Note, Fault> {
        if let Some(path) = self.checkpoint.as_deref() {
            return ceremony::note(path);
        }
        catalogue.checkpoints()?.pop().ok_or_else(|| {
            disk::MISSING
                .fault("the vault has no checkpoint yet")
                .hint("make one with `fedroot ledger checkpoint`, or name one with --checkpoint")
        })
    }

    fn told(&self, entries: u64) -> Output {
        let shown = Path::new(&self.output).display().to_string();
        let mut output = Output::json(json!({"output": shown, "entries": entries}));
        output.row("written", &shown);
        output.row("entries", &entries.to_string());
        output
    }
}
