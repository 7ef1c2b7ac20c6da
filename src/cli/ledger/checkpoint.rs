//! `fedroot ledger checkpoint`: what leaves the machine, so that others can tell if the ledger is cut or rewritten.

use std::path::PathBuf;

use clap::Args;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;

use crate::base::bytes::base64;
use crate::base::fault::Fault;
use crate::base::words;
use crate::ceremony::{self, Note};
use crate::cli::Common;
use crate::cli::ui::{self, Output};

/// `fedroot ledger checkpoint`
#[derive(Args, Debug)]
pub(in crate::cli) struct Checkpoint {
    /// The file for the checkpoint; it must not exist (standard output by default)
    #[arg(long, short, value_name = "NOTE")]
    output: Option<PathBuf>,
    /// Print the words of its digest, to be read aloud and compared
    #[arg(long)]
    words: bool,
    /// Print it as a QR code even when standard output is not a terminal
    #[arg(long)]
    qr: bool,
    /// What for, for the ledger
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Checkpoint {
    pub(super) fn run(&self, common: &Common) -> Result<Output, Fault> {
        let mut vault = common.open_vault()?;
        let note = ceremony::checkpoint(&mut vault, self.output.as_deref(), self.reason.as_deref())?;
        let (checkpoint, digest) = (&note.checkpoint, note.checkpoint.digest());
        let words = words::of(digest.as_bytes());
        let name = self.output.as_ref().map(|path| path.display().to_string());
        let mut output = Output::json(json!({
            "origin": checkpoint.origin,
            "entries": checkpoint.size,
            "root": base64(&checkpoint.root),
            "digest": digest.to_string(),
            "words": words,
            "note": note.text(),
            "output": name,
        }));
        if let Some(name) = &name {
            output.row("ledger", &checkpoint.origin);
            output.row("entries", &checkpoint.size.to_string());
            output.row("root", &base64(&checkpoint.root));
            output.row("checkpoint", name);
        } else {
            output.text.push_str(&note.text());
        }
        if self.words {
            for row in words.chunks(4) {
                output.line(format!("  {}", row.join(" ")));
            }
        }
        if self.qr || ui::is_watched() {
            output.text.push_str(&code(&note));
        }
        output.note("carry it off this machine: paper, another medium, a witness");
        output.note("next: fedroot ledger verify --since NOTE, whenever somebody asks");
        Ok(output)
    }
}

/// A QR code in half blocks, dark on light whatever the terminal's colours.
fn code(note: &Note) -> String {
    QrCode::new(note.text()).map_or_else(
        |_| String::new(),
        |code| {
            let drawn =
                code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
            drawn + "\n"
        },
    )
}
