//! Rules about bundles: what a release should not ship, and names that are trouble elsewhere.

use std::collections::BTreeMap;

use super::when;
use crate::base::text::visible;
use crate::policy::finding::{Check, Whole};
use crate::policy::likeness::code_point;
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
        "bundle.name.composed",
        Warn,
        (
            "names are written with composed characters, as Unicode's NFC has them",
            "rename it: some file systems keep only one of it and of the same name in composed characters, or give it back as the other",
            "Unicode Standard Annex #15; HFS+ and APFS",
        ),
        |whole| {
            let named =
                files(whole.facts).filter_map(|name| Some((name, name.chars().find(|c| is_apart(*c))?)));
            named.map(|(name, c)| format!("{name} has {}", code_point(c))).collect()
        },
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

/// Whether a character joins another one, or stands for another one, so that the same name can be written with other characters:
/// those of Latin, Greek, Cyrillic, Arabic, kana, Hangul and Han. Of the scripts of India and of Hebrew it is not known here.
const fn is_apart(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{653}'..='\u{655}' | '\u{3099}' | '\u{309a}'
        | '\u{1161}'..='\u{1175}' | '\u{11a8}'..='\u{11c2}'
        // another character altogether
        | '\u{374}' | '\u{37e}' | '\u{387}' | '\u{2126}' | '\u{212a}' | '\u{212b}'
        | '\u{1f71}' | '\u{1f73}' | '\u{1f75}' | '\u{1f77}' | '\u{1f79}' | '\u{1f7b}' | '\u{1f7d}'
        | '\u{f900}'..='\u{fa0d}' | '\u{fa2a}'..='\u{fad9}' | '\u{2f800}'..='\u{2fa1d}')
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

#[cfg(test)]
mod tests {
    use super::is_apart;

    #[test]
    fn of_two_spellings_of_one_name_one_is_not_composed() {
        for (composed, other) in [
            ("caf\u{e9}", "cafe\u{301}"),
            ("\u{1ec7}", "e\u{323}\u{302}"),
            ("\u{3ac}", "\u{1f71}"),
            ("\u{3ac}", "\u{3b1}\u{301}"),
            ("\u{439}", "\u{438}\u{306}"),
            ("\u{622}", "\u{627}\u{653}"),
            ("\u{304c}", "\u{304b}\u{3099}"),
            ("\u{d55c}", "\u{1112}\u{1161}\u{11ab}"),
            ("\u{c5}", "\u{212b}"),
            ("K", "\u{212a}"),
            ("\u{8c48}", "\u{f900}"),
        ] {
            assert!(other.chars().any(is_apart), "{other}");
            assert!(!composed.chars().any(is_apart), "{composed}");
        }
    }
}
