"""Installed from its wheel, away from any checkout, the plugin finds the program of the checkout that pytest runs in."""
import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[3]


def test_a_wheel_finds_the_checkouts_build(tmp_path):
    source = shutil.copytree(ROOT / "scripts/pytest_mailproof", tmp_path / "source")  # building leaves files behind
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation",
                    "--wheel-dir", tmp_path, source], check=True, capture_output=True)
    zipfile.ZipFile(next(tmp_path.glob("*.whl"))).extractall(tmp_path / "site")
    checkout = tmp_path / "checkout"
    for folder in ("scripts/pytest_mailproof/src", "build/release", "scenarios"):
        (checkout / folder).mkdir(parents=True)
    for program in ("scripts/servers", "build/release/mailproof"):
        (checkout / program).write_text("#!/bin/sh\n")
        (checkout / program).chmod(0o755)
    environment = {"PATH": "/nowhere", "PYTHONPATH": str(tmp_path / "site")}
    find = [sys.executable, "-c", "from pytest_mailproof import tool; print(tool.find_binary())"]
    found = subprocess.run(find, cwd=checkout / "scenarios", env=environment, capture_output=True, text=True)
    assert found.stdout == f"{checkout}/build/release/mailproof\n", found.stderr
    elsewhere = subprocess.run(find, cwd=tmp_path, env={**environment, **{k: v for k, v in os.environ.items() if k == "HOME"}},
                               capture_output=True, text=True)
    assert "mailproof was not found" in elsewhere.stderr
