"""libxml2's exclusive canonical form, through lxml: many documents in one start.

Reads `LENGTH COMMENTS PREFIX,PREFIX\\n` and LENGTH bytes, again and again; answers `ok LENGTH\\n` and the canonical form, or
`no REASON\\n`.
"""

import io
import sys

from lxml import etree

# lxml drops listed prefixes that no document of this process has named yet, `#default` too: so one names it
etree.fromstring('<a xmlns:a="#default"/>')

source, sink = sys.stdin.buffer, sys.stdout.buffer
while header := source.readline():
    length, comments, prefixes = header.decode().rstrip("\n").split(" ")
    document = source.read(int(length))
    try:
        parser = etree.XMLParser(no_network=True, resolve_entities=False, huge_tree=False)
        tree = etree.parse(io.BytesIO(document), parser)
        out = io.BytesIO()
        listed = prefixes.split(",") if prefixes else None
        tree.write_c14n(out, exclusive=True, with_comments=comments == "1", inclusive_ns_prefixes=listed)
        sink.write(b"ok %d\n" % len(out.getvalue()) + out.getvalue())
    except (etree.LxmlError, ValueError) as problem:
        sink.write(b"no " + str(problem).replace("\n", " ").encode("utf-8", "replace") + b"\n")
    sink.flush()
