"""The servers in fixtures/servers/: each folder's server.py offers one class, Server."""
import functools
import importlib.util
import pathlib

from servers.trouble import Trouble

ROOT = pathlib.Path(__file__).resolve().parents[3]
FOLDER = ROOT / "fixtures" / "servers"


def known():
    return sorted(path.parent.name for path in FOLDER.glob("*/server.py"))


@functools.cache
def module(name):
    if name not in known():
        raise Trouble(f"no server called '{name}' in fixtures/servers/; there is: {', '.join(known())}")
    spec = importlib.util.spec_from_file_location(name, FOLDER / name / "server.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded
