//! What a stranger finds in the folder of a split aggregate: every document where clients of the Metadata Query Protocol ask for
//! it, about the entity of that name, signed by a trusted key. Of each only its end and its key stay.

use std::collections::BTreeMap;
use std::ops::Range;

use super::facts::Collector;
use super::standalone::undated;
use super::{Checked, MD, check, mdq, valid_until};
use crate::artefact::published::{Entry, Published, Status};
use crate::artefact::{ALTERED, UNTRUSTED, Verified};
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::disk::Document;
use crate::base::fault::Fault;
use crate::format::xml::Event;
use crate::key::{PublicKey, Scheme};
use crate::policy::Facts;

/// So many of those who left are named; all of them are counted.
const NAMED_MAX: usize = 10;

/// A signed document that is as the index says.
struct Seen<'k> {
    key: &'k PublicKey,
    scheme: &'static Scheme,
    end: Option<Instant>,
    oddities: [(&'static str, u64); 3],
}

/// A trusted key that signed something.
struct Signer<'k> {
    key: &'k PublicKey,
    scheme: &'static Scheme,
    documents: u64,
}

/// What was found in the folder.
#[derive(Default)]
struct Found<'k> {
    documents: u64,
    gone: u64,
    left: Vec<String>,
    /// By fingerprint: how many documents a key signed, beside those of who left.
    signers: BTreeMap<String, Signer<'k>>,
    first: Option<(Instant, String)>,
    oddities: [(&'static str, u64); 3],
}

/// Verifies a folder as `sign saml --split` writes it.
///
/// # Errors
///
/// `verify.untrusted` where nothing else is wrong than that no trusted key signed; `verify.altered` for everything that is not
/// as it was written.
pub(super) fn verify(index: &Document, trust: &[PublicKey]) -> Result<Verified, Fault> {
    let folder = Published::open(index)?;
    let mut found = Found::default();
    let mut take = |entry: Entry, seen| {
        if let Some(seen) = seen {
            found.take(&entry, &seen);
        }
    };
    let wrong = folder.look(&|entry, bytes| judge(entry, &bytes, trust), &mut take)?;
    let (root, files) = (folder.root().display(), folder.count());
    wrong.check(
        &format!("{root}: "),
        "take the folder as `fedroot sign saml --split` wrote it, and the keys over another channel; a second run mends it where the key is",
    )?;
    let signer = found.signers.values().max_by_key(|signer| signer.documents);
    let signer = signer.ok_or_else(|| UNTRUSTED.fault(format!("{root}: nothing in it is signed")))?;
    let (key, scheme) = (signer.key, signer.scheme);
    let (end, first) = found.first.unzip();
    let mut facts = Facts::default();
    for id in &found.left {
        facts.add("left", id);
    }
    if found.gone > found.left.len() as u64 {
        facts.add("left", format!("and {} more", found.gone - found.left.len() as u64));
    }
    facts.add("valid until", end.map_or_else(|| "for ever".to_owned(), |end| end.to_string()));
    let signers = found.signers.into_iter().filter(|(_, signer)| signer.documents > 0);
    let signers =
        signers.map(|(key, signer)| (key, signer.documents.into())).collect::<serde_json::Map<_, _>>();
    let mut coverage = vec![
        ("files", files.into()),
        ("documents", found.documents.into()),
        ("signed_by", signers.into()),
        ("gone", found.gone.into()),
    ];
    coverage.extend(found.oddities.map(|(name, count)| (name, count.into())));
    coverage.extend(first.map(|first| (Verified::FIRST_TO_END, first.into())));
    Ok(Verified {
        facts,
        covers: format!("every document of {root}, and its {files} files are those of the index"),
        coverage,
        commands: None,
        key: key.clone(),
        scheme,
        valid_from: None,
        valid_until: end,
    })
}

impl<'k> Found<'k> {
    fn take(&mut self, entry: &Entry, seen: &Seen<'k>) {
        let signer = self.signers.entry(seen.key.fingerprint().to_string());
        let signer = signer.or_insert(Signer { key: seen.key, scheme: seen.scheme, documents: 0 });
        for (sum, one) in self.oddities.iter_mut().zip(seen.oddities) {
            *sum = (one.0, sum.1 + one.1);
        }
        if entry.status == Status::Gone {
            self.gone += 1;
            if self.left.len() < NAMED_MAX {
                self.left.push(entry.id.clone());
            }
            return;
        }
        signer.documents += 1;
        self.documents += 1;
        if let Some(end) = seen.end
            && self.first.as_ref().is_none_or(|(first, _)| *first > end)
        {
            self.first = Some((end, entry.name().to_owned()));
        }
    }
}

/// What a document says at its beginning.
#[derive(Default)]
struct Root {
    /// The entity, where the root is one.
    entity: Option<String>,
    /// Where the start tag stands, in bytes, and what it may have been before there were dates.
    range: Range<u64>,
    undated: Vec<String>,
}

impl Root {
    fn event(&mut self, event: &Event<'_>) {
        if let Event::Start(tag) = event
            && tag.depth() == 0
        {
            self.entity =
                tag.attribute("entityID").filter(|_| tag.is(MD, "EntityDescriptor")).map(str::to_owned);
            self.range = tag.range();
            self.undated = undated(*tag);
        }
    }

    /// Whether the digest of the document is this, without the signature that stands there and without dates.
    fn has_content(&self, bytes: &[u8], signature: &Range<u64>, told: &str) -> bool {
        let part = |range: Range<u64>| {
            let place = |at| usize::try_from(at).unwrap_or(usize::MAX);
            bytes.get(place(range.start)..place(range.end)).unwrap_or_default()
        };
        let before = part(0..self.range.start);
        let body = [part(self.range.end..signature.start), part(signature.end..bytes.len() as u64)];
        self.undated.iter().any(|start| {
            Digest::of(&[&[before, start.as_bytes()], &body[..]].concat().concat()).to_string() == told
        })
    }
}

/// Verifies a document as one file, and that it is the one that belongs there.
fn judge<'k>(entry: &Entry, bytes: &[u8], trust: &'k [PublicKey]) -> Result<Seen<'k>, Fault> {
    if entry.status == Status::Unsigned {
        return Err(ALTERED.fault("is signed by nobody"));
    }
    let not_good = |fault: Fault| fault.code().fault(format!("is not good: {fault}"));
    let (mut root, mut collector) = (Root::default(), Collector::new());
    let visit = |event: &Event<'_>| {
        root.event(event);
        collector.event(event)
    };
    let Checked { found, key, scheme, .. } = check(bytes, trust, visit).map_err(not_good)?;
    let oddities = collector.oddities();
    let end = valid_until(&collector.finish().map_err(not_good)?.0).map_err(not_good)?;
    if root.entity.as_ref() != Some(&entry.id) || entry.names != mdq::names(&entry.id) {
        let what = root.entity.as_deref().unwrap_or("no single entity");
        return Err(ALTERED.fault(format!("is in the wrong place: it is about {what}")));
    }
    let end_text = end.map(|end| end.to_string());
    let is_content = |told: &str| root.has_content(bytes, &found.place, told);
    entry.check_described(mdq::MEDIA_TYPE, end_text.as_deref(), is_content)?;
    Ok(Seen { key, scheme, end, oddities })
}
