//! Rules about bundles: what a release should not ship, and names that are trouble elsewhere.

use std::collections::BTreeMap;

use super::when;
use crate::base::text::visible;
use crate::policy::finding::{Check, Whole};
use crate::policy::{Facts, Rule, Severity};

use Severity::{Block, Note, Warn};

/// The SHA-384 digest of nothing.
const EMPTY: &str =
    "sha384:38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b";

/// Names of files that hold secrets more often than not.
const SECRETS: &[&str] = &[
    ".env",
    ".netrc",
    ".npmrc",
    ".pgpass",
    "credentials.json",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_rsa",
];
const SECRET_ENDINGS: &[&str] = &[".jks", ".key", ".kdbx", ".keystore", ".p12", ".pfx"];

const fn rule(
    id: &'static str,
    severity: Severity,
    text: (&'static str, &'static str, &'static str),
    check: fn(&Whole<'_>) -> Vec<String>,
) -> Rule {
    Rule::of("bundle", id, severity, text, Check::Document(check))
}

pub(super) static ROWS: &[Rule] = &[
    rule(
        "bundle.files.none",
        Block,
        (
            "a bundle holds at least one file",
            "look for what failed before it came here",
            "a safeguard of this program: an empty release deletes what stood there",
        ),
        |whole| when(files(whole.facts).next().is_none(), || "there is no file".into()),
    ),
    rule(
        "bundle.files.many",
        Block,
        (
            "a bundle holds no more files than the profile allows",
            "find out where they come from, or set bundle.files_max in the profile",
            "a safeguard of this program: a build folder signed by mistake",
        ),
        |whole| {
            let (count, max) = (files(whole.facts).count() as u64, whole.standard.profile.bundle.files_max);
            when(count > max, || format!("there are {count} files; the profile allows {max}"))
        },
    ),
    rule(
        "bundle.name.invisible",
        Block,
        (
            "every character of a file's name can be seen",
            "rename the file",
            "Unicode Technical Report 36, section 2: text that shows as other text",
        ),
        |whole| {
            let hidden = files(whole.facts).filter(|name| visible(name).to_string() != *name);
            hidden.map(|name| format!("{name} has characters that do not show")).collect()
        },
    ),
    rule(
        "bundle.name.case",
        Warn,
        (
            "no two names, and none from that of the list or its signatures, differ only in the case of their letters",
            "rename one of them: some file systems keep only one",
            "POSIX.1-2024, section 3.265: file names are case-sensitive; NTFS and APFS by default are not",
        ),
        same_but_for_case,
    ),
    rule(
        "bundle.name.secret",
        Block,
        (
            "no file has a name that secrets usually have",
            "take it out of the release; if it is none, waive the finding or rename the file",
            "CWE-538: insertion of sensitive information into an externally-accessible file",
        ),
        |whole| {
            files(whole.facts)
                .filter(|name| is_secret(name))
                .map(|name| format!("{name} may hold a secret"))
                .collect()
        },
    ),
    rule(
        "bundle.name.version-control",
        Warn,
        (
            "no folder of a version control system is among the files",
            "export the release instead of signing the working copy",
            "CWE-527: exposure of version-control repository to an unauthorized control sphere",
        ),
        |whole| {
            let inside = |name: &&str| name.split('/').any(|part| matches!(part, ".git" | ".hg" | ".svn"));
            when(files(whole.facts).any(|name| inside(&name)), || {
                files(whole.facts).find(inside).map(|name| format!("{name} is there")).unwrap_or_default()
            })
        },
    ),
    rule(
        "bundle.file.empty",
        Note,
        (
            "no file is empty",
            "look whether its build failed",
            "a safeguard of this program: what a full disk leaves behind is empty",
        ),
        |whole| {
            let empty = whole
                .facts
                .iter()
                .filter(|fact| fact.path == "file" && fact.remark.as_deref() == Some(EMPTY));
            empty.map(|fact| format!("{} is empty", fact.value)).collect()
        },
    ),
    rule(
        "bundle.brake.removed",
        Block,
        (
            "no more files vanish at once than the profile's brake allows",
            "find out why they are gone; if it is meant, give --release-brake REASON to review and sign",
            "a safeguard of this program: a failed build looks like many removals",
        ),
        |whole| {
            let (Some(brake), Some(difference)) = (&whole.standard.profile.brake, whole.difference) else {
                return vec![];
            };
            let (gone, before) = (difference.removed as u64, difference.before as u64);
            let max = brake.removed_percent_max;
            when(gone * 100 > before * max, || {
                format!("{gone} of {before} files are gone; the brake allows {max} %")
            })
        },
    ),
];

fn files(facts: &Facts) -> impl Iterator<Item = &str> {
    facts.values("file")
}

fn is_secret(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    SECRETS.contains(&name.as_str()) || SECRET_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

fn same_but_for_case(whole: &Whole<'_>) -> Vec<String> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut found = Vec::new();
    // What stands beside them once they are signed.
    for name in ["MANIFEST.sha384", "MANIFEST.sha384.sig", "MANIFEST.sha384.jws"]
        .into_iter()
        .chain(files(whole.facts))
    {
        if let Some(other) = seen.insert(name.to_lowercase(), name) {
            found.push(format!("{other} and {name}"));
        }
    }
    found
}
