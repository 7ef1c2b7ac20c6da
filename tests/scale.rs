//! What the program holds in memory does not grow with the document, and stays under a limit for the whole process.

use std::fmt::Write as _;
use std::fs;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::batch::{numbered, splits};
use crate::support::world::world;
use crate::support::{FEDROOT, Folder, LINE, aggregate};

/// What a process may hold at its peak.
const PEAK_KIB_MAX: u64 = 32 * 1024;
/// What the peak may grow by with twelve times the document: some bytes for each entity.
const GROWTH_KIB_MAX: u64 = 2 * 1024;

/// The peak of a process so far, in KiB; nothing once it has ended.
fn peak(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Runs the program and yields its peak in KiB.
fn peak_of(folder: &Folder, arguments: &str) -> u64 {
    let mut command = folder.command(FEDROOT);
    command.args(arguments.split(' ')).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut highest = 0;
    let status = loop {
        highest = highest.max(peak(&child).unwrap_or_default());
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    assert!(status.success(), "{arguments}: {status}");
    assert!(highest > 0, "the peak could not be read");
    highest
}

/// The peaks of each act on an aggregate of this size; the last two signatures compare with the one before.
fn peaks(megabytes: usize) -> Vec<(&'static str, u64)> {
    let folder = Folder::with_one_line();
    let rest = format!("--key {LINE} --vault V");
    aggregate::write(&folder.path("in.xml"), megabytes * 1_000_000).unwrap();
    let packed = folder.shell("gzip -1 -k in.xml");
    assert_eq!(packed.code, 0, "{}", packed.stderr);
    let sign = |from: &str, to: &str| {
        peak_of(&folder, &format!("sign saml {from} --identity auditor.key --output {to} {rest}"))
    };
    vec![
        ("sign", sign("in.xml", "out.xml")),
        ("sign again, compressed", sign("in.xml.gz", "out.xml.gz")),
        ("review", peak_of(&folder, &format!("review saml in.xml {rest}"))),
        ("verify", peak_of(&folder, "verify saml out.xml --trust metadata.pub")),
        ("verify, compressed", peak_of(&folder, "verify saml out.xml.gz --trust metadata.pub")),
    ]
}

#[test]
fn memory_does_not_grow_with_the_document() {
    let (small, large) = (peaks(1), peaks(12));
    for ((act, small), (_, large)) in small.iter().zip(&large) {
        assert!(*large <= PEAK_KIB_MAX, "{act}: {large} KiB");
        assert!(*large <= small + GROWTH_KIB_MAX, "{act}: {small} KiB for 1 MB, {large} KiB for 12 MB");
    }
}

/// What the peak may grow by for each entity of metadata, be it ever so small: what stays of its ID, its name and what that
/// looks like, and of its place in the record.
const ENTITY_BYTES_MAX: u64 = 30;

/// How many entities the large document has: FEDROOT_ENTITIES, or so many that the suite stays fast and usual tables would
/// have grown by more.
fn entities() -> usize {
    std::env::var("FEDROOT_ENTITIES").ok().and_then(|count| count.parse().ok()).unwrap_or(32_000)
}

/// The peaks of each act on so many entities of which each says next to nothing. The review finds them all in the record of
/// the signature, in another order.
fn tiny(count: usize) -> Vec<(&'static str, u64)> {
    let folder = Folder::with_one_line();
    let rest = format!("--key {LINE} --vault V");
    let entity = |n| {
        format!(
            "<EntityDescriptor ID=\"_{n}\" entityID=\"https://e{n}.example.org/metadata\"><SPSSODescriptor/>\
             </EntityDescriptor>\n"
        )
    };
    let mut entities: Vec<String> = (0..count).map(entity).collect();
    for name in ["in.xml", "turned.xml"] {
        let root = "<EntitiesDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\">";
        fs::write(folder.path(name), format!("{root}{}</EntitiesDescriptor>", entities.concat())).unwrap();
        entities.reverse();
    }
    let sign = format!("sign saml in.xml --identity auditor.key --output out.xml {rest}");
    vec![
        ("sign", peak_of(&folder, &sign)),
        ("review", peak_of(&folder, &format!("review saml turned.xml {rest}"))),
        ("verify", peak_of(&folder, "verify saml out.xml --trust metadata.pub")),
    ]
}

#[test]
fn of_a_tiny_entity_hardly_anything_stays() {
    let (few, many) = (3_000, entities());
    for ((act, small), (_, large)) in tiny(few).iter().zip(&tiny(many)) {
        let most = small + (many - few) as u64 * ENTITY_BYTES_MAX / 1024 + NOISE_KIB;
        eprintln!("{act}: {small} KiB for {few}, {large} KiB for {many}");
        assert!(*large <= most, "{act}: {small} KiB for {few}, {large} KiB for {many}");
        assert!(*large <= PEAK_KIB_MAX, "{act}: {large} KiB");
    }
}

/// What the peak may grow by for each statement of a federation. Digests, hashes and places stay, some hundred bytes, and what
/// the allocator makes of it; of what a statement says nothing stays. `benches/batch.rs` holds the bytes of thousands.
const STATEMENT_KIB_MAX: u64 = 1;
/// What one run differs from the next.
const NOISE_KIB: u64 = 1024;

/// The peaks of each act on a federation of this size.
fn federation(count: u32) -> Vec<(&'static str, u64)> {
    let folder = world(count);
    let line = "--key example.org/sandbox/anchor --vault V --json";
    let sign = format!("sign federation in --identity auditor.key --output tree {line}");
    vec![
        ("review", peak_of(&folder, &format!("review federation in {line}"))),
        ("sign", peak_of(&folder, &sign)),
        ("sign again", peak_of(&folder, &sign)),
        ("verify", peak_of(&folder, "verify federation tree --trust anchor.pub --json")),
    ]
}

#[test]
fn memory_hardly_grows_with_a_federation_even_as_json() {
    let (few, many) = (50, 450);
    for ((act, small), (_, large)) in federation(few).iter().zip(&federation(many)) {
        let most = small + u64::from(many - few) * STATEMENT_KIB_MAX + NOISE_KIB;
        assert!(*large <= most, "{act}: {small} KiB for {few}, {large} KiB for {many}");
        assert!(*large <= PEAK_KIB_MAX, "{act}: {large} KiB");
    }
}

/// The peak of a look at a folder of so many entities.
fn split_folder(count: usize) -> u64 {
    let folder = Folder::with_one_line();
    fs::write(folder.path("in.xml"), numbered(count)).unwrap();
    splits(&folder, "in.xml", &[]);
    peak_of(&folder, "verify saml out --trust metadata.pub --json")
}

#[test]
fn memory_hardly_grows_with_a_split_folder() {
    let (few, many) = (50, 850);
    let (small, large) = (split_folder(few), split_folder(many));
    // of each document the two names of its files stay, and whether they were met
    let most = small + (many - few) as u64 * 300 / 1024 + NOISE_KIB;
    assert!(large <= most, "{small} KiB for {few}, {large} KiB for {many}");
}

/// How many signatures the journal holds: FEDROOT_SIGNATURES, or so many that the suite stays fast.
fn signatures() -> usize {
    std::env::var("FEDROOT_SIGNATURES").ok().and_then(|count| count.parse().ok()).unwrap_or(30_000)
}

/// Puts signatures into the journal, as this program writes them, in front of its last line.
fn multiply(folder: &Folder, count: usize) {
    let path = folder.path("V/journal.jsonl");
    let journal = fs::read_to_string(&path).unwrap();
    let (rest, last) = journal.trim_end().rsplit_once('\n').unwrap();
    let (start, tail) = last.split_once("\"digest\":\"sha256:").unwrap();
    let mut text = format!("{rest}\n");
    for number in 0..count {
        writeln!(text, "{start}\"digest\":\"sha256:{number:064x}{}", &tail[64..]).unwrap();
    }
    fs::write(&path, format!("{text}{last}\n")).unwrap();
    let ledger = folder.path("V/ledger");
    fedroot::ledger::unbind(&fedroot::ledger::lock(&ledger).unwrap(), &ledger).unwrap();
}

#[test]
fn a_signature_costs_the_same_after_many() {
    let folder = Folder::with_one_line();
    let sign = |output: &str| {
        let start = std::time::Instant::now();
        let peak = peak_of(&folder, &crate::support::signing(output).join(" "));
        (peak, start.elapsed())
    };
    let (small, quick) = sign("first.xml");
    multiply(&folder, signatures());
    let (large, slow) = sign("second.xml");
    let told = folder.good(&["status", "--vault", "V"]);
    assert!(told.stdout.contains(&format!("{} outstanding", signatures() + 2)), "{}", told.stdout);
    eprintln!("sign: {small} KiB, {quick:?}; after {} signatures {large} KiB, {slow:?}", signatures());
    // where each of them stands, in a table that doubles
    let kib = u64::try_from(signatures() * 48 / 1024).unwrap();
    assert!(large <= small + GROWTH_KIB_MAX + kib, "{small} KiB, {large} KiB");
    // A damaged one is found when somebody asks what is outstanding.
    let path = folder.path("V/journal.jsonl");
    let journal = fs::read_to_string(&path).unwrap();
    fs::write(&path, journal.replacen("\"lists\":[0]", "\"lists\":[x]", 1)).unwrap();
    assert_eq!(folder.fedroot(&["status", "--vault", "V"]).code, 6);
}

#[test]
fn an_index_that_somebody_else_wrote_takes_no_memory_and_lists_only_what_stands() {
    let folder = Folder::with_one_line();
    let sign = |file: &str| {
        peak_of(
            &folder,
            &format!("sign saml {file} --split out --identity auditor.key --key {LINE} --vault V"),
        )
    };
    fs::write(folder.path("three.xml"), crate::batch::numbered(3)).unwrap();
    fs::write(folder.path("two.xml"), crate::batch::numbered(2)).unwrap();
    sign("three.xml");
    let mut index = String::from("{\"documents\":[\n");
    for n in 0..400_000 {
        let id = if n % 2 == 0 { "https://sp2.example/sp".to_owned() } else { format!("../{n}") };
        writeln!(index, "{{\"id\":\"{id}\",\"names\":[\"../../../precious\"],\"status\":\"published\"}},")
            .unwrap();
    }
    fs::write(folder.path("out/index.json"), index).unwrap();
    let highest = sign("two.xml");
    assert!(highest < PEAK_KIB_MAX, "{highest} KiB");
    let said = String::from_utf8(folder.read("out/index.json")).unwrap();
    assert_eq!(said.matches("\"gone\"").count(), 1, "{said}");
    assert!(said.contains("https://sp2.example/sp") && said.lines().count() == 5, "{said}");
}
