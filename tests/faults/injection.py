"""Disturbs every system call of a command that writes, one by one."""

from world import *


def trace(world, arguments):
    """How often a command makes each system call that writes, and at which of them it matters."""
    log = WORK / "trace"
    process = world.start(world.command(*arguments), ["strace", "-f", "-y", "-s", "0", "-o", str(log)])
    out, err = process.communicate()
    if process.returncode != 0:
        sys.exit(f"strace does not work here, or the command failed: {out}{err}")
    counts, points = collections.Counter(), set()
    for line in log.read_text().splitlines():
        found = re.match(r"(\d+) +(\w+)\((.*)", line)
        if not found or found[2] not in WRITES:
            continue
        counts[found[1], found[2]] += 1
        if found[2] not in ("openat", "open") or re.search(r"O_CREAT|O_WRONLY|O_RDWR|O_TMPFILE", found[3]):
            points.add((found[2], counts[found[1], found[2]], "ledger.jsonl" in found[3]))
    return sorted(points)


def inject(name, base, arguments, check, faults):
    world = base.copy("traced")
    points = trace(world, arguments)
    world.gone()
    if len(points) < 6:
        sys.exit(f"only {len(points)} system calls that write were seen: the trace is not understood")
    before, base_log = tree(base.path), base.log.read_bytes() if base.log.exists() else b""

    def one(point):
        (call, count, _), fault = point
        case = f"inject {name} {call} {count} {fault}"
        world = base.copy(case.replace(" ", "-"))
        ran = world.run(*arguments, before=["strace", "-f", "-o", "/dev/null", "-e", f"inject={call}:{fault}:when={count}"])
        check(case, world, ran, base_log, before)
        world.gone()
        figures[f"inject {name}"] += 1

    each([(point, fault) for point in points for fault in faults], one)
