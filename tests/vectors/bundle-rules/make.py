"""Writes the vectors of the rules about bundles: lists as sha384sum writes them, of files that never were."""

import hashlib
import pathlib

here = pathlib.Path(__file__).parent


def put(rule, vector, names, empty=()):
    lines = []
    for name in sorted(names, key=lambda name: name.encode()):
        content = b"" if name in empty else b"content of " + name.encode()
        lines.append(f"{hashlib.sha384(content).hexdigest()}  {name}\n")
    folder = here / rule
    folder.mkdir(exist_ok=True)
    (folder / f"{vector}.sha384").write_text("".join(lines), encoding="utf-8")


def profile(rule, text):
    (here / rule / "profile.toml").write_text(text)


put("bundle.files.none", "bad", [])
put("bundle.files.none", "good", ["a"])
put("bundle.files.many", "bad", ["a", "b", "c"])
put("bundle.files.many", "good", ["a", "b"])
profile("bundle.files.many", "[bundle]\nfiles_max = 2\n")
put("bundle.name.invisible", "bad", ["tool\u202egpj.exe"])
put("bundle.name.invisible", "good", ["работа/größe.txt", "a b'c\".txt"])
put("bundle.name.case", "bad", ["README", "docs/x", "readme"])
put("bundle.name.case", "good", ["README", "docs/README"])
put("bundle.name.composed", "bad", ["caf\u00e9", "cafe\u0301"])
put("bundle.name.composed", "good", ["caf\u00e9", "cafe", "\u0440\u0430\u0431\u043e\u0442\u0430", "\ud55c\u65e5"])
put("bundle.name.secret", "bad", ["config/server.KEY"])
put("bundle.name.secret", "good", ["config/server.pub", "keyboard", "id_rsa.pub"])
put("bundle.name.version-control", "bad", [".git/HEAD", "x"])
put("bundle.name.version-control", "good", [".gitignore", "x.git"])
put("bundle.file.empty", "bad", ["a", "b"], empty=["b"])
put("bundle.file.empty", "good", ["a", "b"])
put("bundle.brake.removed", "last", ["a", "b", "c", "d"])
put("bundle.brake.removed", "bad", ["a", "b"])
put("bundle.brake.removed", "good", ["a", "b", "c", "e"])
profile("bundle.brake.removed", "[brake]\nremoved_percent_max = 25\nkeys_changed_max = 0\n")
