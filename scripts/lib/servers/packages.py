"""Debian packages without installing them: downloaded, unpacked into a private folder, no maintainer script run.

Installing a mail server's package starts a public server on the machine, and the servers' packages conflict with
each other. Unpacked, they are only files."""
import hashlib
import os
import pathlib
import shutil
import subprocess

from servers.trouble import Trouble, say

DPKG_STATUS = pathlib.Path("/var/lib/dpkg/status")


def cache_folder():
    if os.environ.get("MAILPROOF_CACHE"):
        return pathlib.Path(os.environ["MAILPROOF_CACHE"]).absolute()
    # As root the server runs as nobody, who may not look into /root.
    if os.geteuid() == 0:
        return pathlib.Path("/var/cache/mailproof")
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "mailproof"


def unpacked(name, packages):
    """The folder that holds the unpacked packages and the libraries they need which this system lacks."""
    key = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:8]
    tree = cache_folder() / f"{name}-{key}"
    if tree.is_dir() and is_complete(tree):
        return tree
    say(f"fetching {' '.join(packages)} (downloaded and unpacked, not installed)")
    work = tree.with_name(f"{tree.name}.{os.getpid()}")
    shutil.rmtree(work, ignore_errors=True)
    (work / "debs").mkdir(parents=True)
    try:
        download(packages + needed_libraries(packages), work / "debs")
        for deb in sorted((work / "debs").glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", deb, work / "tree"], check=True)
        merge_usr(work / "tree")
        lacking = missing_libraries(work / "tree")
        if lacking:
            raise Trouble(f"the unpacked {name} lacks {', '.join(lacking)}; run apt-get update and try again")
        shutil.rmtree(tree, ignore_errors=True)
        (work / "tree").chmod(0o755)
        (work / "tree").rename(tree)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return tree


def merge_usr(tree):
    """Some packages still bring /lib, which an installed system has as a link to /usr/lib."""
    for name in ("bin", "lib", "sbin"):
        if (tree / name).is_dir():
            shutil.copytree(tree / name, tree / "usr" / name, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(tree / name)


def library_path(tree):
    return ":".join(sorted({str(path.parent) for path in tree.glob("usr/lib/**/*.so*")}))


def needed_libraries(packages):
    """What apt would install beside them, found by a simulation; only libraries are of use."""
    run = apt(["apt-get", "install", "-s", "--no-install-recommends", *packages])
    names = [line.split()[1] for line in run.splitlines() if line.startswith("Inst ")]
    return [name for name in names if name.startswith("lib") and name not in packages]


def download(packages, folder):
    apt(["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", *packages], cwd=folder)


def apt(command, cwd=None):
    run = subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if run.returncode != 0 and os.geteuid() == 0:
        say("the package lists are old or missing: apt-get update")
        subprocess.run(["apt-get", "update", "-qq"], stdin=subprocess.DEVNULL)
        run = subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if run.returncode != 0:
        raise Trouble(f"{' '.join(command[:2])} failed; if the package lists are old, run 'apt-get update' as root\n"
                      + run.stderr.strip())
    return run.stdout


def is_complete(tree):
    """Asks ldd again only when a package was installed or removed since: it takes a second a server."""
    stamp = tree.with_name(f"{tree.name}.complete")
    if stamp.exists() and stamp.stat().st_mtime > DPKG_STATUS.stat().st_mtime:
        return True
    complete = not missing_libraries(tree)
    if complete and os.access(stamp.parent, os.W_OK):
        stamp.touch()
    return complete


def missing_libraries(tree):
    programs = [path for pattern in ("usr/sbin/*", "usr/bin/*", "usr/lib/*/*") for path in tree.glob(pattern)
                if path.is_file() and not path.is_symlink() and path.read_bytes()[:4] == b"\x7fELF"]
    environment = {**os.environ, "LD_LIBRARY_PATH": library_path(tree)}
    run = subprocess.run(["ldd", *programs], env=environment, capture_output=True, text=True)
    return sorted({line.split()[0] for line in run.stdout.splitlines() if "not found" in line})
