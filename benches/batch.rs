//! Splits an aggregate of 10,000 entities and signs each with P-384, beside the bare signatures, in one run: what everything
//! around a signature costs, as a ratio. Then the same again, when nothing changed. The same for a federation of as many
//! subordinates: each brings a configuration whose own signature is verified, too. And for one of four times as many, whose
//! memory must hardly be more.
//!
//! One signature is what anybody does with each: signing, and verifying with the library before it leaves. Here a key that
//! verifies many is readied for it, which is faster: so a ratio may be less than one. Wall times lie on shared machines: the
//! ratio of CPU seconds counts, which is that of the wall times when every core is ours.
//! `cargo bench --bench batch`; `FEDROOT_BENCH_ENTITIES=1000` makes fewer. Needs GNU time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    unused_crate_dependencies,
    reason = "a bench runs programs and prints"
)]

#[path = "../tests/support/aggregate.rs"]
mod aggregate;
#[path = "../tests/support/federation.rs"]
#[allow(dead_code, reason = "tests need more of it")]
mod federation;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use fedroot::base::random;
use fedroot::key::private_key;

const FEDROOT: &str = env!("CARGO_BIN_EXE_fedroot");
const SIGNATURES: u32 = 2_000;

/// What a process cost.
struct Cost {
    wall_s: f64,
    cpu_s: f64,
    peak_mib: f64,
}

fn main() {
    // cargo test --benches asks for a list, and there is nothing to list.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let count: usize = std::env::var("FEDROOT_BENCH_ENTITIES").map_or(10_000, |count| count.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    prepare(dir.path(), count);
    let cores = std::thread::available_parallelism().unwrap().get();
    let signature = one_signature();
    let Signature { made, verified, readied } = signature;
    println!(
        "one signature: made {:.3} ms, verified {:.3} ms, by a readied key {:.3} ms; {cores} cores",
        made * 1e3,
        verified * 1e3,
        readied * 1e3
    );
    let floor = (made + verified) * count as f64;
    for what in ["all new", "nothing changed"] {
        let cost = run(dir.path(), SPLIT);
        println!(
            "{what}: wall {:.2} s, CPU {:.2} s, peak {:.1} MiB; {count} bare signatures: CPU {floor:.2} s",
            cost.wall_s, cost.cpu_s, cost.peak_mib
        );
        println!(
            "{what}: CPU ratio {:.2}, wall ratio {:.2}",
            cost.cpu_s / floor,
            cost.wall_s / (floor / cores as f64)
        );
        let files = fs::read_dir(dir.path().join("out/entities")).unwrap().count();
        assert_eq!(files, 2 * count, "a batch that is not whole measures nothing");
    }
    let few = subordinates(dir.path(), count, &signature);
    let many = subordinates(dir.path(), 4 * count, &signature);
    for ((what, few), (_, many)) in few.iter().zip(&many) {
        let bytes = (many.peak_mib - few.peak_mib) * 1_048_576.0 / (3 * count) as f64;
        println!("{what}: memory grows by {bytes:.0} bytes for each of {} more statements", 3 * count);
        assert!(bytes <= STATEMENT_BYTES_MAX, "what statements say, or are called, stands in memory");
    }
}

/// What has to stay of a statement while thousands are signed: the digests of what was approved and of what became of it, the
/// line that binds its file to the request, its place on the shelf and in the list of subordinates.
const STATEMENT_BYTES_MAX: f64 = 640.0;

/// The same for a federation: what its standard asks for is one more verification for each subordinate.
fn subordinates(dir: &Path, count: usize, one: &Signature) -> Vec<(&'static str, Cost)> {
    let cores = std::thread::available_parallelism().unwrap().get() as f64;
    federation::write(&dir.join("in"), u32::try_from(count).unwrap());
    fs::remove_dir_all(dir.join("tree")).ok();
    fs::remove_dir_all(dir.join("V/signed/example.org/sandbox/anchor")).ok();
    let act = |what: &'static str, made: f64| {
        let cost = run(dir, FEDERATION);
        let each = |seconds: f64| seconds * count as f64;
        println!(
            "{count} statements, {what}: wall {:.2} s, CPU {:.2} s, peak {:.1} MiB",
            cost.wall_s, cost.cpu_s, cost.peak_mib
        );
        let bare = each(one.made + one.verified);
        let whole = each(made + one.readied + one.verified);
        for (to, floor) in [("bare signatures", bare), ("all that has to be signed and verified", whole)] {
            let (wall, cpu) = (cost.wall_s / (floor / cores), cost.cpu_s / floor);
            println!("{count} statements, {what}: to {to}: wall ratio {wall:.2}, CPU ratio {cpu:.2}");
        }
        let files = fs::read_dir(dir.join("tree/fetch")).unwrap().count();
        assert_eq!(files, count, "a batch that is not whole measures nothing");
        (what, cost)
    };
    vec![act("new", one.made), act("nothing changed", 0.0)]
}

/// CPU seconds of one signature on this thread: to make it, and to verify it as the library does, or by a readied key.
struct Signature {
    made: f64,
    verified: f64,
    readied: f64,
}

fn one_signature() -> Signature {
    let pem = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys/p384.pem")).unwrap();
    let (_, der) = pkcs8::Document::from_pem(&pem).unwrap();
    let key = private_key(der.as_bytes()).unwrap();
    let public = key.public().unwrap();
    let scheme = key.algorithm().scheme(fedroot::key::Hash::Sha256);
    let octets = [7; 900];
    let start = cpu_s();
    let signatures: Vec<_> =
        (0..SIGNATURES).map(|_| key.sign(scheme, &octets, &mut random::system()).unwrap()).collect();
    let signed = cpu_s();
    let (algorithm, spki) = (public.algorithm(), public.spki());
    assert!(signatures.iter().all(|signature| algorithm.verify(spki, scheme, &octets, signature)));
    let verified = cpu_s();
    let readied = algorithm.ready(spki).unwrap();
    assert!(signatures.iter().all(|signature| readied.verify(&octets, signature)));
    let each = |seconds: f64| seconds / f64::from(SIGNATURES);
    Signature {
        made: each(signed - start),
        verified: each(verified - signed),
        readied: each(cpu_s() - verified),
    }
}

/// CPU seconds of this process so far (proc(5), fields 14 and 15).
fn cpu_s() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}

fn prepare(dir: &Path, count: usize) {
    let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys/p384.pem");
    fs::copy(key, dir.join("p384.pem")).unwrap();
    let mut bytes = 0;
    while aggregate::write(&dir.join("in.xml"), bytes).unwrap() < count {
        bytes += 1_000_000.max(bytes / 50);
    }
    exactly(&dir.join("in.xml"), count);
    let line = format!(
        "chmod 600 p384.pem; A=$({FEDROOT} identity generate --output auditor.key) && \
         {FEDROOT} init --vault V --auditor $A && \
         {FEDROOT} key adopt example.org/sandbox/metadata --from p384.pem --for saml --recipient $A --vault V && \
         {FEDROOT} key generate example.org/sandbox/anchor --algorithm p384 --profile profile.toml --recipient $A --vault V"
    );
    fs::write(dir.join("profile.toml"), federation::PROFILE).unwrap();
    let made = Command::new("sh").args(["-c", &line]).current_dir(dir).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// Cuts an aggregate behind so many entities.
fn exactly(path: &Path, count: usize) {
    let text = fs::read_to_string(path).unwrap();
    let end = "</md:EntityDescriptor>\n";
    let cut = text.match_indices(end).nth(count - 1).unwrap().0 + end.len();
    fs::write(path, format!("{}</md:EntitiesDescriptor>\n", &text[..cut])).unwrap();
}

const SPLIT: &str =
    "sign saml in.xml --key example.org/sandbox/metadata --identity auditor.key --split out --vault V";
const FEDERATION: &str =
    "sign federation in --key example.org/sandbox/anchor --identity auditor.key --output tree --vault V";

fn run(dir: &Path, arguments: &str) -> Cost {
    let report = dir.join("cost");
    let start = Instant::now();
    let output = Command::new("/usr/bin/time")
        .args(["-f", "%U %S %M", "-o"])
        .arg(&report)
        .arg(FEDROOT)
        .args(arguments.split(' '))
        .current_dir(dir)
        .output()
        .unwrap();
    let wall_s = start.elapsed().as_secs_f64();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = fs::read_to_string(report).unwrap();
    let numbers: Vec<f64> = report.split_whitespace().map(|number| number.parse().unwrap()).collect();
    Cost { wall_s, cpu_s: numbers[0] + numbers[1], peak_mib: numbers[2] / 1024.0 }
}
