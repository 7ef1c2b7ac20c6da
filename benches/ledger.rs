//! What the ledger costs, as ratios measured in one run: against hashing the same bytes, against a short ledger, and
//! against SQLite on the same disk. Absolute times depend on the machine; the ratios are what is promised.
//!
//! `cargo bench --bench ledger` measures 100,000 entries; `FEDROOT_BENCH_ENTRIES=1000000` is the whole run. The long ledger
//! is made in `FEDROOT_BENCH_MEMORY` (/dev/shm by default), appends are measured in `FEDROOT_BENCH_DISK` (the build folder).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::cast_precision_loss,
    reason = "a bench stops by panicking, measures time, and prints"
)]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use fedroot::base::clock::{Clock, SystemClock};
use fedroot::base::disk::Document;
use fedroot::base::random;
use fedroot::base::recipient::Identities;
use fedroot::ledger::{self, Auditor, EntryKind, LOG, Ledger};
use serde_json::json;
use sha2::{Digest, Sha256};

const SEALS: usize = 30_000;
const APPENDS: usize = 200;
const OPENINGS: usize = 100;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, child, what, path] = arguments.as_slice()
        && child == "--child"
    {
        return verify_alone(what, Path::new(path));
    }
    let setting = |name: &str| std::env::var(name).ok();
    let entries = setting("FEDROOT_BENCH_ENTRIES").map_or(100_000, |count| count.parse().unwrap());
    let memory = setting("FEDROOT_BENCH_MEMORY").unwrap_or_else(|| "/dev/shm".into());
    let disk = setting("FEDROOT_BENCH_DISK").unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").into());
    let (memory, disk) = (tempfile::tempdir_in(memory).unwrap(), tempfile::tempdir_in(disk).unwrap());
    let (_, auditor) = Identities::generate(SystemClock.now());

    let start = Instant::now();
    let whole = grow(&memory.path().join("long"), &auditor, entries);
    let log = whole.join(LOG);
    println!(
        "ledger of {entries} entries, {:.0} MB, made in {:.0} s, {} cores",
        bytes(&log) / 1e6,
        start.elapsed().as_secs_f64(),
        std::thread::available_parallelism().unwrap()
    );
    checking(&log, entries);
    let (ten, thousand) =
        (grow(&memory.path().join("10"), &auditor, 10), grow(&memory.path().join("1000"), &auditor, 1000));
    opening(&[ten, whole.clone()], &auditor, entries);
    appending(disk.path(), &[thousand, whole], &auditor, entries);
}

/// A ledger of so many entries of a usual size: intents and outcomes in sessions of one signature would be longer.
fn grow(folder: &Path, auditor: &Auditor, entries: u64) -> PathBuf {
    let auditors = std::slice::from_ref(auditor);
    let (random, now) = (Box::new(random::system()), SystemClock.now());
    let mut ledger =
        Ledger::create(folder, "bench.example/ledger", auditors, &json!({}), now, random).unwrap();
    while ledger.len() < entries {
        note(&mut ledger);
    }
    folder.to_owned()
}

fn note(ledger: &mut Ledger) {
    ledger.append(EntryKind::Note, None, &json!({"text": "x".repeat(200)}), SystemClock.now()).unwrap();
}

fn open(folder: &Path, auditor: &Auditor) -> Ledger {
    Ledger::open(folder, std::slice::from_ref(auditor), Box::new(random::system())).unwrap()
}

/// The shortest of three runs: what else the machine does only makes them longer.
fn shortest(mut run: impl FnMut()) -> f64 {
    let times = (0..3).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}

fn hash(log: &Path) {
    let (mut file, mut buffer, mut hash) = (File::open(log).unwrap(), vec![0; 1 << 17], Sha256::new());
    loop {
        let count = file.read(&mut buffer).unwrap();
        if count == 0 {
            break;
        }
        hash.update(buffer.get(..count).unwrap());
    }
    std::hint::black_box(hash.finalize());
}

/// Checking the chain against hashing, the seals on one core against all, and the memory of each.
fn checking(log: &Path, entries: u64) {
    let hashed = shortest(|| hash(log));
    let chain =
        shortest(|| assert_eq!(ledger::verify_chain(File::open(log).unwrap()).unwrap().entries, entries));
    println!("chain: {:.2} × the rate of one SHA-256 pass on one core (goal ≥ 0.50)", hashed / chain);
    println!("       {:.0} entries/s; SHA-256 {:.0} MB/s", entries as f64 / chain, bytes(log) / hashed / 1e6);
    let (beginning, count) = beginning(log);
    let one = shortest(|| assert_eq!(ledger::verify(beginning.reader()).unwrap().entries, count));
    let all = shortest(|| assert_eq!(ledger::verify_document(&beginning).unwrap().entries, count));
    println!("seals: {:.2} × the rate of one core with all of them", one / all);
    println!("       {:.0} entries/s on one core, {:.0} on all", count as f64 / one, count as f64 / all);
    for what in ["chain", "seals"] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command.args(["--child", what]).arg(log).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let peak: u64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        println!("memory: {what} at most {:.1} MiB (goal ≤ 32)", peak as f64 / 1024.0);
    }
}

/// The first entries of a log, and how many: checking all seals of a long one three times takes minutes.
fn beginning(log: &Path) -> (Document, u64) {
    let lines: Vec<_> =
        BufReader::new(File::open(log).unwrap()).split(b'\n').take(SEALS).map(Result::unwrap).collect();
    let bytes = lines.iter().flat_map(|line| line.iter().chain(b"\n")).copied().collect();
    (Document::from_bytes("beginning", bytes), lines.len() as u64)
}

fn bytes(log: &Path) -> f64 {
    fs::metadata(log).unwrap().len() as f64
}

/// In a process of its own: checks a ledger, and prints the most memory that took, in KiB.
fn verify_alone(what: &str, log: &Path) {
    match what {
        "chain" => ledger::verify_chain(File::open(log).unwrap()).unwrap(),
        _ => ledger::verify_document(&Document::open(log).unwrap()).unwrap(),
    };
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()).unwrap();
    println!("{peak}");
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times.get(times.len() / 2).unwrap().as_secs_f64()
}

/// Opening to sign, turn by turn, so that both see the same machine.
fn opening(ledgers: &[PathBuf; 2], auditor: &Auditor, entries: u64) {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..OPENINGS {
        for (folder, times) in ledgers.iter().zip(&mut times) {
            let start = Instant::now();
            drop(open(folder, auditor));
            times.push(start.elapsed());
        }
    }
    let [short, long] = times.map(median);
    println!(
        "opening: {:.2} × as long with {entries} entries as with 10 ({:.2} ms)",
        long / short,
        long * 1e3
    );
}

/// Appending, turn by turn, on a disk: the length of the ledger does not matter. Then SQLite, on the same disk.
fn appending(disk: &Path, ledgers: &[PathBuf; 2], auditor: &Auditor, entries: u64) {
    let copies = ledgers.each_ref().map(|ledger| copy(ledger, &disk.join(ledger.file_name().unwrap())));
    let mut open = copies.each_ref().map(|folder| open(folder, auditor));
    let mut times = [Vec::new(), Vec::new()];
    let before = sqlite(disk);
    for _ in 0..APPENDS {
        for (ledger, times) in open.iter_mut().zip(&mut times) {
            let start = Instant::now();
            note(ledger);
            times.push(start.elapsed());
        }
    }
    let [short, long] = times.map(median);
    println!(
        "append: {:.2} × as long with {entries} entries as with 1000 ({:.2} ms)",
        long / short,
        long * 1e3
    );
    match (before, sqlite(disk)) {
        (Some(before), Some(after)) => {
            let both = f64::midpoint(before, after);
            println!("        {:.2} × SQLite WAL/FULL on the same disk ({:.2} ms)", long / both, both * 1e3);
        }
        _ => println!("SKIPPED: SQLite: python3 with sqlite3 is not here"),
    }
}

fn copy(from: &Path, to: &Path) -> PathBuf {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
    to.to_owned()
}

/// The median time of a transaction of one row of the same size.
fn sqlite(disk: &Path) -> Option<f64> {
    let script = r"
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute('pragma journal_mode=wal'); db.execute('pragma synchronous=full')
db.execute('create table if not exists ledger (id integer primary key, line blob)')
times = []
for _ in range(200):
    start = time.perf_counter()
    db.execute('insert into ledger (line) values (?)', (b'x' * 713,))
    times.append(time.perf_counter() - start)
print(sorted(times)[100])
";
    let output = Command::new("python3").args(["-c", script]).arg(disk.join("peer.sqlite")).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
