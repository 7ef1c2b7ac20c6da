//! The architecture as a test: imports go down, walls stand, files stay small, and what is written about the program is
//! true of it. Each message says what to do.

mod source;
mod written;

use std::collections::BTreeMap;
use std::fs;

use self::source::{Source, body, places, sources, word_at};
use crate::support::root;

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Fails with all complaints at once.
fn settle(complaints: &[String], way_out: &str) {
    assert!(complaints.is_empty(), "\n  {}\nWhat to do: {way_out}\n", complaints.join("\n  "));
}

// ---- rooms ----

/// The table in ARCHITECTURE.md: each room, from the ground up, with the rooms it may import.
fn rooms() -> Vec<(String, Vec<String>)> {
    let text = read("ARCHITECTURE.md");
    let rows = text.lines().skip_while(|line| *line != "| room | may import |").skip(2);
    let rooms: Vec<_> = rows
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            let (room, imports) = (cells.next().unwrap().to_owned(), cells.next().unwrap());
            (room, imports.split(", ").filter(|name| *name != "–").map(str::to_owned).collect())
        })
        .collect();
    assert_eq!(rooms.len(), 10, "ARCHITECTURE.md has no table `| room | may import |` of ten rows");
    rooms
}

/// The rooms that shipped code names, with the place of each name.
fn imports(source: &Source) -> Vec<(usize, String)> {
    let code = source.shipped();
    let mut found = Vec::new();
    for at in places(code, "crate::") {
        let after = at + "crate::".len();
        if code[after..].starts_with('{') {
            let end = code[after..].find('}').map_or(code.len(), |end| after + end);
            let names = code[after + 1..end].split(',').map(|name| word_at(name.trim(), 0).to_owned());
            found.extend(names.map(|name| (at, name)));
        } else {
            found.push((at, word_at(code, after).to_owned()));
        }
    }
    found
}

#[test]
fn imports_follow_the_table() {
    let rooms = rooms();
    let mut complaints = Vec::new();
    for (place, (room, imports)) in rooms.iter().enumerate() {
        for import in imports {
            if !rooms[..place].iter().any(|(above, _)| above == import) {
                complaints.push(format!(
                    "ARCHITECTURE.md: {room} may not import {import}, which does not stand above it"
                ));
            }
        }
    }
    let allowed: BTreeMap<_, _> = rooms.into_iter().collect();
    for source in sources(&["src"]) {
        let Some(room) = source.room() else { continue };
        let Some(allowed_here) = allowed.get(room) else {
            complaints.push(format!("{}: the room {room} has no row in ARCHITECTURE.md", source.path));
            continue;
        };
        for (at, import) in imports(&source) {
            if allowed.contains_key(&import) && import != room && !allowed_here.contains(&import) {
                complaints.push(format!(
                    "{}:{}: {room} must not import {import}",
                    source.path,
                    source.line_of(at)
                ));
            }
        }
    }
    settle(&complaints, "move the code to a room that may import it, or take a plain type as a value");
}

#[test]
fn lib_lists_the_rooms_of_the_table_in_its_order() {
    let lib = read("src/lib.rs");
    let listed: Vec<_> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.split_once(';').map(|(room, _)| room))
        .collect();
    let planned: Vec<_> = rooms().into_iter().map(|(room, _)| room).collect();
    assert_eq!(
        listed, planned,
        "src/lib.rs and the table in ARCHITECTURE.md list the rooms from the ground up"
    );
}

#[test]
fn documents_and_keys_meet_only_in_ceremony() {
    for (room, imports) in rooms() {
        let both = ["artefact", "custody"].iter().all(|name| imports.iter().any(|import| import == name));
        assert!(
            !both || ["ceremony", "cli"].contains(&room.as_str()),
            "{room} may import both artefact and custody"
        );
    }
}

#[test]
fn only_custody_works_with_private_keys() {
    let mut complaints = Vec::new();
    for source in sources(&["src"]) {
        if matches!(source.room(), Some("key" | "custody")) {
            continue;
        }
        for word in ["PrivateKey", "private_key(", "unseal", "to_pkcs8"] {
            let at = places(source.shipped(), word);
            complaints.extend(at.iter().map(|&at| format!("{}:{}: {word}", source.path, source.line_of(at))));
        }
    }
    let custody = Source::read(&root().join("src/custody/mod.rs"));
    complaints.extend(
        places(&custody.code, "pub mod").iter().map(|_| "src/custody/mod.rs: a public module".into()),
    );
    for word in ["PrivateKey", "Opener", "Closer", "unseal"] {
        complaints.extend(
            places(&custody.code, word).iter().map(|_| format!("src/custody/mod.rs: lets {word} out")),
        );
    }
    settle(&complaints, "work with private keys inside src/custody, behind Vault");
}

// ---- sizes and habits ----

#[test]
fn files_are_short() {
    let long = |source: &Source| source.text.lines().count() > FILE_LINES_MAX;
    let complaints: Vec<_> = sources(&["src", "tests", "benches"])
        .iter()
        .filter(|source| long(source))
        .map(|source| format!("{} has {} lines", source.path, source.text.lines().count()))
        .collect();
    settle(&complaints, &format!("split each by concept into files of at most {FILE_LINES_MAX} lines"));
}

#[test]
fn functions_are_short() {
    let mut complaints = Vec::new();
    for source in sources(&["src", "tests", "benches"]) {
        for at in places(&source.code, "fn") {
            let name = word_at(&source.code, at + 3);
            if name.is_empty() {
                continue;
            }
            let Some((_, close)) = body(&source.code, at) else { continue };
            let lines = source.line_of(close) - source.line_of(at) + 1;
            if lines > FUNCTION_LINES_MAX {
                complaints.push(format!("{}:{}: {name} has {lines} lines", source.path, source.line_of(at)));
            }
        }
    }
    settle(&complaints, &format!("cut each into functions of at most {FUNCTION_LINES_MAX} lines"));
}

#[test]
fn files_say_what_they_are() {
    let silent =
        sources(&["src", "tests", "benches"]).into_iter().filter(|source| !source.text.starts_with("//! "));
    let complaints: Vec<_> = silent.map(|source| source.path).collect();
    settle(&complaints, "begin each with `//!`: one sentence what it is, one what it guarantees");
}

#[test]
fn nothing_is_left_for_later() {
    let mut complaints = Vec::new();
    // Put together here, so that this file does not accuse itself.
    let notes = ["TO", "FIX", "XX"].iter().zip(["DO", "ME", "X"]).map(|(a, b)| format!("{a}{b}"));
    let notes: Vec<_> = notes.collect();
    for source in sources(&["src", "tests", "benches"]) {
        for note in &notes {
            let at = places(&source.text, note);
            complaints.extend(at.iter().map(|_| format!("{}: {note}", source.path)));
        }
        for stub in ["todo!", "unimplemented!", "dbg!"] {
            let at = places(&source.code, stub);
            complaints.extend(at.iter().map(|&at| format!("{}:{}: {stub}", source.path, source.line_of(at))));
        }
    }
    settle(&complaints, "do it, or write an issue and take the note out");
}

// ---- dependencies ----

/// Crates that open sockets, run reactors, or bring cryptography in C.
const BANNED: &[&str] = &[
    "actix-rt",
    "async-global-executor",
    "async-io",
    "async-std",
    "attohttpc",
    "aws-lc-rs",
    "aws-lc-sys",
    "boring",
    "boring-sys",
    "curl",
    "curl-sys",
    "gix-transport",
    "h2",
    "hickory-resolver",
    "hyper",
    "hyper-util",
    "isahc",
    "libsodium-sys",
    "mbedtls",
    "mbedtls-sys-auto",
    "minreq",
    "mio",
    "native-tls",
    "nettle",
    "nettle-sys",
    "openssl",
    "openssl-sys",
    "polling",
    "quinn",
    "reqwest",
    "ring",
    "rustls",
    "schannel",
    "security-framework",
    "smol",
    "socket2",
    "sodiumoxide",
    "surf",
    "tiny_http",
    "tokio",
    "tokio-util",
    "trust-dns-resolver",
    "tungstenite",
    "ureq",
    "wolfssl-sys",
];

/// Bindings to operating systems: constants and signatures, no C code.
const BINDINGS: &[&str] = &["linux-raw-sys", "windows-sys"];

fn locked() -> Vec<String> {
    let lock = read("Cargo.lock");
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    names.map(str::to_owned).collect()
}

#[test]
fn no_crate_opens_a_socket_or_brings_c() {
    let locked = locked();
    assert!(locked.len() > 50, "Cargo.lock could not be read");
    let builds_c = |name: &str| ["cc", "cmake", "bindgen", "pkg-config", "vcpkg", "nasm-rs"].contains(&name);
    let binds = |name: &str| name.ends_with("-sys") && !BINDINGS.contains(&name);
    let complaints: Vec<_> = locked
        .into_iter()
        .filter(|name| BANNED.contains(&name.as_str()) || builds_c(name) || binds(name))
        .collect();
    settle(
        &complaints,
        "find who brings it with `cargo tree -i NAME`, and do without: fedroot is offline, in Rust",
    );
}

#[test]
fn deny_toml_bans_the_same_crates() {
    let deny = read("deny.toml");
    let missing = BANNED.iter().filter(|name| !deny.contains(&format!("\"{name}\"")));
    let complaints: Vec<_> = missing.map(ToString::to_string).collect();
    settle(&complaints, "add it to [bans] in deny.toml");
}

#[test]
fn every_dependency_says_what_it_is_for() {
    let (mut section, mut explained, mut complaints) = (String::new(), false, Vec::new());
    for line in read("Cargo.toml").lines() {
        if line.starts_with('[') {
            section = line.to_owned();
        }
        if line.is_empty() || line.starts_with('[') {
            explained = false;
        } else if line.starts_with('#') {
            explained = true;
        } else if section.ends_with("dependencies]") && !explained && !line.contains(" # ") {
            complaints.push(format!("{section} {line}"));
        }
    }
    settle(
        &complaints,
        "say on its line in Cargo.toml, or above its group, which standard or need it serves",
    );
}

// ---- walls ----

#[test]
fn the_walls_are_configured() {
    let (manifest, clippy) = (read("Cargo.toml"), read("clippy.toml"));
    for lint in
        ["unsafe_code = \"forbid\"", "print_stdout = \"deny\"", "unwrap_used = \"deny\"", "panic = \"deny\""]
    {
        assert!(manifest.contains(lint), "Cargo.toml lacks {lint}");
    }
    for wall in [
        "std::net::TcpStream",
        "std::net::TcpListener",
        "std::net::UdpSocket",
        "std::os::unix::net::UnixStream",
        "std::os::unix::net::UnixListener",
        "std::os::unix::net::UnixDatagram",
        "std::process::Command::new",
        "std::fs::write",
        "std::time::SystemTime::now",
        "std::env::var",
        "std::println",
    ] {
        assert!(clippy.contains(&format!("\"{wall}\"")), "clippy.toml lacks {wall}");
    }
}

#[test]
fn p384_is_computed_with_verified_arithmetic() {
    let (config, manifest) = (read(".cargo/config.toml"), read("Cargo.toml"));
    assert!(config.contains("p384_backend=\"fiat\""), ".cargo/config.toml does not choose it");
    let unchecked = "fiat-crypto = { overflow-checks = false }";
    assert!(manifest.contains(unchecked), "Cargo.toml lets release builds put branches into it");
    let backend = if cfg!(p384_backend = "fiat") { "fiat" } else { "bigint" };
    assert_eq!(
        backend, "fiat",
        "RUSTFLAGS replaced .cargo/config.toml, so this is not the program that is shipped: add \
         --cfg p384_backend=\"fiat\" to them"
    );
}

/// Complains about words in shipped code outside the files that may use them.
fn only_in(words: &[&str], allowed: &[&str], excused: &[&str], way_out: &str) {
    let mut complaints = Vec::new();
    for source in sources(&["src"]) {
        if allowed.iter().any(|path| source.path.starts_with(path)) {
            continue;
        }
        for word in words {
            for at in places(source.shipped(), word) {
                let line = source.shipped()[..at].rfind('\n').map_or(0, |start| start + 1);
                let line = source.shipped()[line..].lines().next().unwrap_or_default().trim();
                if !excused.iter().any(|excuse| line.contains(excuse)) {
                    complaints.push(format!("{}:{}: {line}", source.path, source.line_of(at)));
                }
            }
        }
    }
    settle(&complaints, way_out);
}

#[test]
fn nothing_opens_a_socket() {
    let words = [
        "std::net",
        "unix::net",
        "TcpStream",
        "TcpListener",
        "UdpSocket",
        "UnixStream",
        "rustix::net",
        "socket",
    ];
    only_in(&words, &[], &[], "fedroot is offline by construction: move data by files");
}

#[test]
fn only_the_ui_prints() {
    let words = ["stdout()", "stderr()", "println!", "print!", "eprintln!", "eprint!"];
    only_in(&words, &["src/cli/ui.rs"], &["error.use_stderr()"], "return an Output, or call ui::say");
}

#[test]
fn only_base_touches_files() {
    // A type may be named where an open file is handed on; the mask of the process is no file.
    let excused = ["&std::fs::File,", "rustix::fs::Mode::"];
    let words = ["std::fs", "OpenOptions", "rustix::fs", "tempfile::"];
    only_in(
        &words,
        &[
            "src/base/disk.rs",
            "src/base/descriptor.rs",
            "src/base/document.rs",
            "src/base/below.rs",
            "src/base/staging.rs",
            "src/base/append.rs",
            "src/base/tree.rs",
        ],
        &excused,
        "read and write through base::disk",
    );
}

#[test]
fn only_one_file_reads_the_clock() {
    let words = ["Timestamp::now", "SystemTime", "Zoned::now", "time::Instant"];
    only_in(&words, &["src/base/clock.rs"], &[], "take the time as a value, from a Clock");
}

#[test]
fn only_cli_reads_the_environment_and_standard_input() {
    let way_out = "take it as a value from cli";
    only_in(
        &["env::var", "env::var_os", "env::vars", "stdin()", "process::Command"],
        &["src/cli/"],
        &[],
        way_out,
    );
}

/// Words of a field's type that make its owner a secret.
const SECRET_TYPES: &[&str] = &[
    "Secret<",
    "RsaPrivateKey",
    "SecretKey",
    "SigningKey",
    "dyn age::Identity",
    "Identities",
    "Seed",
    "Zeroizing<",
];

#[test]
fn no_secret_can_be_shown_or_copied() {
    let mut complaints = Vec::new();
    let mut seen = 0;
    for source in sources(&["src"]) {
        let code = source.shipped();
        for keyword in ["struct", "enum"] {
            for at in places(code, keyword) {
                let name = word_at(code, at + keyword.len() + 1);
                let end = body(code, at)
                    .map_or_else(|| code[at..].find(';').map_or(at, |end| at + end), |(_, end)| end);
                let is_secret =
                    name == "Secret" || SECRET_TYPES.iter().any(|word| code[at..end].contains(word));
                if !is_secret || name.is_empty() {
                    continue;
                }
                seen += 1;
                let item = code[..at].rfind(['}', ';']).map_or(0, |end| end + 1);
                for shown in ["Debug", "Display", "Clone", "Copy", "Serialize"] {
                    if !places(&code[item..at], shown).is_empty()
                        || code.contains(&format!("{shown} for {name}"))
                    {
                        complaints.push(format!("{}:{}: {name} is {shown}", source.path, source.line_of(at)));
                    }
                }
            }
        }
    }
    assert!(seen > 8, "only {seen} types with secrets were found: SECRET_TYPES is out of date");
    settle(&complaints, "take the derive or impl away: who needs the value calls Secret::expose");
}
