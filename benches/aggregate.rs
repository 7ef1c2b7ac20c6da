//! Reviews, signs and verifies aggregates of 1, 10 and 100 MB beside xmlsec1, in one run: MB/s, peak memory, ratios of CPU
//! time, and what the phases cost: reading, tokenizing, canonicalising, hashing, writing.
//!
//! The measure is one pass of our SHA-256 and one of our tokenizer over the same bytes. Signing hashes five times: the
//! document as given, its canonical form before the signature, what each entity says, the canonical form of what is
//! written, and the file as written. So much depends on whether the processor has instructions for SHA-256: the speed of
//! the phase tells. Two readings that are each canonicalised and digested have a floor, which is printed: the review, the
//! rules and the record come on top of it.
//!
//! The key is P-384: opening an RSA key tests its primes for a third of a second, whatever the document. It is sealed to an
//! age identity, so that scrypt's second and 256 MiB do not hide the document's share. Wall times lie on shared machines:
//! the figures are CPU seconds of whole processes, medians of three, and the ratios are what counts.
//! `cargo bench --bench aggregate`; `FEDROOT_BENCH_MB=1,10` chooses other sizes. Needs GNU time;
//! xmlsec1 where it is there, up to 200 MB, for it holds the whole tree in memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::cast_precision_loss,
    unused_crate_dependencies,
    reason = "a bench runs programs and prints"
)]

#[path = "../tests/support/aggregate.rs"]
mod aggregate;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::process::Command;

use fedroot::base::bytes::Hashing;
use fedroot::format::xml::{Canonicalizer, Form, Limits, Reader, Sink};

const FEDROOT: &str = env!("CARGO_BIN_EXE_fedroot");
const RUNS: usize = 3;
/// xmlsec1 needs more than five times the document.
const XMLSEC_MB_MAX: usize = 200;

/// What a process cost.
#[derive(Clone, Copy)]
struct Cost {
    cpu_s: f64,
    peak_mib: f64,
}

fn main() {
    // cargo test --benches asks for a list, and there is nothing to list.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let sizes = std::env::var("FEDROOT_BENCH_MB").unwrap_or_else(|_| "1,10,100".into());
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench { dir: dir.path() };
    bench.prepare();
    start_up(&bench);
    println!("{:>6} {:<22} {:>9} {:>9} {:>9}", "MB", "", "CPU s", "MB/s", "peak MiB");
    for size in sizes.split(',').map(|size| size.trim().parse::<usize>().unwrap()) {
        one_size(&bench, size);
    }
}

/// What the program costs before it does anything.
fn start_up(bench: &Bench<'_>) {
    let cost = bench.cost(&format!("{FEDROOT} --version"));
    println!("start-up: {:.3} CPU s, {:.1} MiB", cost.cpu_s, cost.peak_mib);
}

/// The names of the things that all commands speak of.
const LINE: &str = "--key example.org/sandbox/metadata --vault V --json";
const ROOT_ID: &str = "--id-attr:ID urn:oasis:names:tc:SAML:2.0:metadata:EntitiesDescriptor";

fn row(size: usize, name: &str, cost: Cost) {
    let speed = size as f64 / cost.cpu_s;
    println!("{size:>6} {name:<22} {:>9.2} {speed:>9.0} {:>9.1}", cost.cpu_s, cost.peak_mib);
}

fn one_size(bench: &Bench<'_>, size: usize) {
    let input = bench.dir.join("in.xml");
    aggregate::write(&input, size * 1_000_000).unwrap();
    let phases = Phases::of(&input);
    phases.show(size);
    let review = bench.cost(&format!("{FEDROOT} review saml in.xml {LINE}"));
    row(size, "fedroot review", review);
    let sign =
        bench.cost(&format!("{FEDROOT} sign saml in.xml --identity auditor.key --output out.xml {LINE}"));
    row(size, "fedroot sign", sign);
    let dry = bench.cost(&format!("{FEDROOT} sign saml in.xml --output dry.xml --dry-run {LINE}"));
    row(size, "  of it until the key", dry);
    let rest = Cost { cpu_s: (sign.cpu_s - dry.cpu_s).max(0.001), ..sign };
    row(size, "  of it behind the key", rest);
    let verify = bench.cost(&format!("{FEDROOT} verify saml out.xml --trust pub.pem"));
    row(size, "fedroot verify", verify);
    let unit = phases.hash + phases.tokenize;
    println!(
        "{size:>6} in units of one SHA-256 pass and one tokenizer pass ({unit:.2} s): \
         review {:.1}, sign {:.1} ({:.1} until the key, {:.1} behind it), verify {:.1}; floor of sign {:.1}",
        review.cpu_s / unit,
        sign.cpu_s / unit,
        dry.cpu_s / unit,
        rest.cpu_s / unit,
        verify.cpu_s / unit,
        phases.floor() / unit
    );
    if !Bench::has("xmlsec1") || size > XMLSEC_MB_MAX {
        println!("{size:>6} xmlsec1 is not here, or not asked: no ratio");
        return;
    }
    let checked = bench.cost(&format!(
        "xmlsec1 --verify --enabled-key-data raw-x509-cert {ROOT_ID} --pubkey-pem pub.pem out.xml"
    ));
    row(size, "xmlsec1 --verify", checked);
    bench.template();
    let signed = bench
        .cost(&format!("xmlsec1 --sign {ROOT_ID} --privkey-pem p384.pem --output theirs.xml template.xml"));
    row(size, "xmlsec1 --sign", signed);
    println!(
        "{size:>6} ratios: xmlsec1 costs {:.1} x our sign, {:.1} x our verify; its memory is {:.0} x ours",
        signed.cpu_s / sign.cpu_s,
        checked.cpu_s / verify.cpu_s,
        signed.peak_mib / sign.peak_mib
    );
}

/// What the parts of the work cost when each is done alone, in CPU seconds.
struct Phases {
    read: f64,
    tokenize: f64,
    canonicalise: f64,
    hash: f64,
    write: f64,
}

impl Phases {
    fn of(input: &Path) -> Self {
        let open = || File::open(input).unwrap();
        let read = median(|| pass(&mut open(), &mut Null));
        let tokens = median(|| {
            let mut reader = Reader::new(open(), Limits::default());
            while reader.next().unwrap().is_some() {}
        });
        let canonical = median(|| {
            let mut reader = Reader::new(open(), Limits::default());
            let mut canonicalizer = Canonicalizer::new(Null, Form::default());
            while let Some(event) = reader.next().unwrap() {
                canonicalizer.event(&event);
            }
            canonicalizer.finish();
        });
        let hashed = median(|| pass(&mut Hashing::new(open()), &mut Null));
        let copy = input.with_extension("copy");
        let written = median(|| pass(&mut open(), &mut File::create(&copy).unwrap()));
        Self {
            read,
            tokenize: tokens - read,
            canonicalise: canonical - tokens,
            hash: hashed - read,
            write: written - read,
        }
    }

    /// What signing costs without rules, record and key: two readings, each tokenized, canonicalised and digested, the
    /// digests of the file before and after, and the writing.
    fn floor(&self) -> f64 {
        2.0 * (self.read + self.tokenize + self.canonicalise) + 4.0 * self.hash + self.write
    }

    fn show(&self, size: usize) {
        let phases = [
            ("read", self.read),
            ("tokenize", self.tokenize),
            ("canonicalise", self.canonicalise),
            ("hash, SHA-256", self.hash),
            ("write", self.write),
        ];
        for (name, cpu_s) in phases {
            println!("{size:>6} phase: {name:<15} {cpu_s:>9.3} {:>9.0}", size as f64 / cpu_s.max(0.0001));
        }
    }
}

/// Reads to the end in pieces as large as our reader's.
fn pass(from: &mut dyn Read, to: &mut dyn io::Write) {
    let mut piece = vec![0; 64 * 1024];
    loop {
        match from.read(&mut piece).unwrap() {
            0 => return,
            count => to.write_all(&piece[..count]).unwrap(),
        }
    }
}

/// Where nothing is kept.
struct Null;

impl Sink for Null {
    fn write(&mut self, _: &[u8]) {}
}

impl io::Write for Null {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The median CPU time of a few runs in this process.
fn median(mut work: impl FnMut()) -> f64 {
    // the first field: nanoseconds on a processor
    let spent = || {
        let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
    };
    let mut times = [0.0; RUNS];
    for time in &mut times {
        let before = spent();
        work();
        *time = spent() - before;
    }
    times.sort_by(f64::total_cmp);
    times[RUNS / 2]
}

struct Bench<'a> {
    dir: &'a Path,
}

impl Bench<'_> {
    fn prepare(&self) {
        assert!(Self::has("/usr/bin/time"), "GNU time measures the processes: install the package `time`");
        let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys/p384.pem");
        fs::copy(key, self.dir.join("p384.pem")).unwrap();
        self.shell(&format!(
            "chmod 600 p384.pem; A=$({FEDROOT} identity generate --output auditor.key) && \
             {FEDROOT} init --vault V --auditor $A && \
             {FEDROOT} key adopt example.org/sandbox/metadata --from p384.pem --for saml --recipient $A --vault V && \
             {FEDROOT} key export example.org/sandbox/metadata --vault V > pub.pem"
        ));
    }

    fn shell(&self, line: &str) {
        let output = Command::new("sh").args(["-c", line]).current_dir(self.dir).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn has(program: &str) -> bool {
        Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap().status.success()
    }

    /// The document that xmlsec1 fills in: what we signed, with empty values.
    fn template(&self) {
        let signed = fs::read_to_string(self.dir.join("out.xml")).unwrap();
        let emptied = ["DigestValue", "SignatureValue"].iter().fold(signed, |text, name| {
            let (open, close) = (format!("<ds:{name}>"), format!("</ds:{name}>"));
            let (start, end) = (text.find(&open).unwrap() + open.len(), text.find(&close).unwrap());
            format!("{}{}", &text[..start], &text[end..])
        });
        fs::write(self.dir.join("template.xml"), emptied).unwrap();
    }

    /// The median CPU time and the greatest peak of a few runs.
    fn cost(&self, command: &str) -> Cost {
        let mut costs: Vec<Cost> = (0..RUNS).map(|_| self.run(command)).collect();
        costs.sort_by(|a, b| a.cpu_s.total_cmp(&b.cpu_s));
        let peak_mib = costs.iter().map(|cost| cost.peak_mib).fold(0.0, f64::max);
        Cost { peak_mib, ..costs[RUNS / 2] }
    }

    fn run(&self, command: &str) -> Cost {
        if command.contains("--output out.xml") {
            let _ = fs::remove_file(self.dir.join("out.xml"));
        }
        let report = self.dir.join("cost");
        let output = Command::new("/usr/bin/time")
            .args(["-f", "%U %S %M", "-o"])
            .arg(&report)
            .args(command.split(' '))
            .current_dir(self.dir)
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        let report = fs::read_to_string(report).unwrap();
        let numbers: Vec<f64> = report.split_whitespace().map(|number| number.parse().unwrap()).collect();
        Cost { cpu_s: (numbers[0] + numbers[1]).max(0.001), peak_mib: numbers[2] / 1024.0 }
    }
}
