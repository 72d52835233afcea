"""A patient's data pack, opened by programs that are not ours: a real browser, Node, forty lines of a stranger."""

import base64
import json
import os
import re
import shutil
import subprocess
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from core.exchange import sealed
from core.exchange.edf import export_edf
from core.exchange.fhir.context import Sender
from core.exchange.manifest import Manifest
from core.exchange.pack import Packed, make_pack, readme
from core.exchange.pack_parts import PARTS, PackVisit
from core.exchange.sealed import PackTooLarge, new_passphrase, tidy
from core.model.progress import Cancelled, Watch
from core.model.words import Words
from core.record import ExportFailed, NotFound, RecordReader
from core.reports.languages import LANGUAGES, report_words
from tests.core.exchange.conftest import PATIENT, VISIT, Mouth
from tests.core.exchange.fhir import visits
from tests.core.exchange.fhir.check import resolved
from tests.core.reports.browser import Browser, find_browser

PAGE, README = "OPEN-ME.html", "READ-ME.txt"
CHROMIUM = find_browser()
NODE = shutil.which("node")


def _has_standard_tools() -> bool:
    bash = shutil.which("bash")
    tools = (
        "printf abc | head -c -1 && command -v awk sed base64 gunzip sha256sum && openssl version | grep 'OpenSSL 3'"
    )
    return bash is not None and subprocess.run([bash, "-c", tools], capture_output=True, check=False).returncode == 0


COREUTILS = _has_standard_tools()


@pytest.fixture
def visit(mouth: Mouth, reader: RecordReader) -> PackVisit:
    return PackVisit(reader, VISIT, PATIENT, Sender("1", "Cedar Lane", "555"))


@pytest.fixture
def packed(visit: PackVisit, tmp_path: Path) -> Packed:
    return make_pack([visit], tmp_path / "pack", tmp_path / "scratch")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Packed:
    return pack_of_a_whole_visit(tmp_path_factory.mktemp("whole"), "en")


def pack_of_a_whole_visit(folder: Path, language: str) -> Packed:
    """Of a visit with a procedure, so that there is a report."""
    path = visits.write(folder / "chair-1.sqlite", *visits.everything())
    with RecordReader.open(path, visits.KEY) as reader:
        visit = reader.visit(visits.VISIT.id)
        assert visit is not None
        sender = Sender("1", "Mill Street", "0123 999", {visits.HELPER: "Robin Lund"})
        one = PackVisit(reader, visit, visits.PATIENT, sender)
        return make_pack([one], folder / "pack", folder / "scratch", language=language)


def opened(page: Path, passphrase: str) -> dict[str, bytes]:
    """By what docs/exchange.md says alone."""
    text = page.read_text(encoding="utf-8")
    elements = dict(re.findall(r'<script type="[^"]+" id="(\w+)">([^<]*)</script>', text))
    lock = json.loads(elements["lock"])
    typed = re.sub("[^0-9A-Z]", "", passphrase.upper()).replace("O", "0").replace("I", "1").replace("L", "1")
    kdf = PBKDF2HMAC(hashes.SHA256(), 32, base64.b64decode(lock["salt"]), lock["rounds"])
    cipher = AESGCM(kdf.derive(typed.encode()))

    def chunk(name: str, number: int) -> bytes:
        return cipher.decrypt(bytes(8) + number.to_bytes(4, "big"), base64.b64decode(elements[name]), None)

    found = {}
    for file in json.loads(chunk("index", 0xFFFFFFFF))["files"]:
        numbers = range(file["first"], file["first"] + file["chunks"])
        found[file["name"]] = zlib.decompress(b"".join(chunk(f"c{n}", n) for n in numbers), 31)
    return found


def test_a_stranger_finds_what_the_exports_make(packed: Packed, visit: PackVisit, mouth: Mouth, tmp_path: Path) -> None:
    files = opened(packed.folder / PAGE, packed.passphrase)
    channels = [span.channel for span in visit.reader.spans(VISIT.id)]
    export_edf(visit.reader, channels, *visit.range_us, tmp_path / "edf", patient=PATIENT)
    expected = {f"V-77AB/edf/{path.name}": path.read_bytes() for path in (tmp_path / "edf").iterdir()}
    assert {name: data for name, data in files.items() if "/edf/" in name} == expected
    assert msgspec.json.decode(files["V-77AB/edf/manifest.json"], type=Manifest).segments
    rows = files["V-77AB/signals.csv"].decode().splitlines()
    inside = sum(segment.samples for one in _manifest(files).segments for segment in one.signals)
    assert len(rows) == 1 + inside + sum(one.samples for one in _manifest(files).uneven)
    bundle = json.loads(files["V-77AB/fhir.json"])
    resolved(bundle)
    assert VISIT.code in json.dumps(bundle)
    assert [(code, part) for code, part, _ in packed.missing] == [("V-77AB", "report.pdf"), ("V-77AB", "report.html")]
    contents = files["contents.txt"].decode()
    assert "Not in here: V-77AB, report.pdf. Nothing was noted for it in that visit." in contents


def _manifest(files: dict[str, bytes]) -> Manifest:
    return msgspec.json.decode(files["V-77AB/edf/manifest.json"], type=Manifest)


def test_nothing_of_the_patient_can_be_read_without_the_code(packed: Packed, tmp_path: Path) -> None:
    assert sorted(path.name for path in packed.folder.iterdir()) == [PAGE, README]
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith((".", "scratch"))) == []
    for path in packed.folder.iterdir():
        data = re.sub(rb'<script type="text/plain"[^>]*>[A-Za-z0-9+/=]+</script>', b"", path.read_bytes())
        assert len(data) < 20_000
        for secret in ("Zoë", "Berg", "K7QF", "V-77AB", "jaw_emg", packed.passphrase, tidy(packed.passphrase)):
            assert secret.encode() not in data
    other = packed.passphrase[:-1] + ("2" if packed.passphrase[-1] != "2" else "3")
    with pytest.raises(InvalidTag):
        opened(packed.folder / PAGE, other)


def test_a_code_is_long_never_twice_and_forgives_how_it_is_typed() -> None:
    codes = {new_passphrase() for _ in range(200)}
    assert len(codes) == 200
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4}", code) for code in codes)
    assert tidy(" 7k4m q2xd-9htp.w3rb 6cne ") == "7K4MQ2XD9HTPW3RB6CNE"
    assert tidy("O0-iIlL1") == "0011111"


def test_the_page_reaches_for_nothing_outside_itself(packed: Packed) -> None:
    text = (packed.folder / PAGE).read_text(encoding="utf-8")
    assert not re.findall(r"""(?:src|href)\s*=\s*["'][^"']""", text)
    assert "http://" not in text
    assert "https://" not in text
    assert "default-src 'none'" in text
    assert PAGE in (packed.folder / README).read_text(encoding="utf-8")


def run_by_the_text(folder: Path, text: str, code: str) -> dict[str, bytes]:
    """What somebody gets who runs the lines of the text that lies beside the page, and has nothing of ours."""
    lines = [line[4:] for line in text.splitlines() if line.startswith("    ")]
    assert lines[0] == "code='CODE'"
    script = "\n".join(lines).replace("CODE", code)
    path = os.environ.get("PATH", "")
    ran = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        capture_output=True,
        env={"PATH": path, "LC_ALL": "C.UTF-8"},
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    made = {str(path.relative_to(folder / "data")): path for path in (folder / "data").rglob("*") if path.is_file()}
    assert ran.stdout.decode().splitlines() == [f"{name}: OK" for name in _in_order(ran.stdout.decode(), made)]
    return {name: path.read_bytes() for name, path in made.items()}


def _in_order(said: str, made: dict[str, Path]) -> list[str]:
    """The files as they were made; each is told of once."""
    names = [line.rpartition(": ")[0] for line in said.splitlines()]
    assert sorted(names) == sorted(made)
    return names


NAMES = {
    "en": {"report.pdf", "report.html", "signals.csv", "fhir.json", "contents.txt"},
    "es": {"informe.pdf", "informe.html", "medidas.csv", "fhir.json", "contenido.txt"},
    "zh": {"报告.pdf", "报告.html", "测量.csv", "fhir.json", "目录.txt"},
}


@pytest.mark.skipif(not COREUTILS, reason="there is no bash with GNU tools and OpenSSL 3 here")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_texts_own_lines_open_it_with_standard_tools(tmp_path: Path, language: str) -> None:
    packed = pack_of_a_whole_visit(tmp_path, language)
    page, text = sorted(packed.folder.iterdir(), key=lambda path: path.suffix)
    assert page.name == packed.page
    typed = packed.passphrase.lower().replace("-", " ").replace("0", "o")
    found = run_by_the_text(packed.folder, text.read_text(encoding="utf-8"), typed)
    assert found == opened(page, packed.passphrase)
    assert {Path(name).name for name in found if "/edf/" not in name} == NAMES[language]
    (report,) = (data.decode() for name, data in found.items() if name.endswith(".html"))
    assert f'<html lang="{"zh-Hans" if language == "zh" else language}">' in report
    (contents,) = (data.decode() for name, data in found.items() if "/" not in name)
    assert all(name in contents for name in NAMES[language] - {Path(n).name for n in found if "/" not in n})


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_and_text_speak_the_patients_language_and_say_that_nobody_reviewed_them(
    visit: PackVisit, tmp_path: Path, language: str
) -> None:
    words = report_words(language)
    packed = make_pack([visit], tmp_path / "pack", tmp_path / "scratch", language=language)
    page = (packed.folder / packed.page).read_text(encoding="utf-8")
    assert f'<html lang="{language}">' in page
    said = json.loads(dict(re.findall(r'id="(words)">([^<]*)<', page))["words"])
    assert (said["what"], said["unreviewed"]) == (words.say("pack.page.what"), words.say("pack.unreviewed"))
    text = readme(words)
    assert said["unreviewed"] in text
    assert packed.page in text
    reviewed = Words(language, {key: words.template(key) for key in words.keys()}, reviewed=True)  # noqa: SIM118
    assert said["unreviewed"] not in readme(reviewed)


HARNESS = """
const fs = require("fs");
const [page, code, want] = process.argv.slice(1);
const text = fs.readFileSync(page, "utf8");
const found = {};
for (const [, id, body] of text.matchAll(/<script[^>]* id="(\\w+)">([^]*?)<\\/script>/g)) { found[id] = body; }
globalThis.document = { getElementById: (id) => ({ textContent: found[id] }) };
const { makeKey, readIndex, readFile } =
  new Function(found.program + "; return { makeKey, readIndex, readFile };")();
(async () => {
  const key = await makeKey(code);
  const index = await readIndex(key);
  const file = index.files.find((one) => one.name === want);
  process.stdout.write(Buffer.from(await (await readFile(key, file)).arrayBuffer()));
})().catch((error) => { console.error(String(error)); process.exit(1); });
"""


@pytest.mark.skipif(NODE is None, reason="there is no Node here")
def test_the_pages_own_program_opens_it_under_node(packed: Packed) -> None:
    assert NODE is not None
    name = "V-77AB/edf/segment-001.edf"
    typed = packed.passphrase.lower().replace("-", " ").replace("0", "o")
    command = [NODE, "-e", HARNESS, str(packed.folder / PAGE), typed, name]
    ran = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == opened(packed.folder / PAGE, packed.passphrase)[name]
    command[-2] = "0000-0000"
    assert subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 1


TYPE = """(async () => {
  document.getElementById("typed").value = "%s";
  document.getElementById("unlock").click();
  while (document.getElementById("unlock").disabled) { await new Promise((go) => setTimeout(go, 20)); }
  return document.querySelector("main").innerText;
})()"""
READ = """(async () => {
  const key = await makeKey("%s");
  const file = (await readIndex(key)).files.find((one) => one.name === "%s");
  return hex(await (await readFile(key, file)).arrayBuffer());
})()"""


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_a_real_browser_opens_it_without_a_network(packed: Packed, tmp_path: Path) -> None:
    assert CHROMIUM is not None
    page, name = packed.folder / PAGE, "V-77AB/edf/segment-002.edf"
    with Browser(CHROMIUM, tmp_path / "profile") as browser:
        browser.open(page)
        wrong = browser.ask(TYPE % "0000-0000")
        said = browser.ask(TYPE % packed.passphrase.lower())
        read = browser.ask(READ % (packed.passphrase, name))
        assert browser.complaints() == []
        assert browser.requests() == [page.as_uri()]
    assert "Data of Zoë Berg" in said
    assert "segment-001.edf" in said
    assert bytes.fromhex(read) == opened(page, packed.passphrase)[name]
    assert "This code does not open it." in wrong
    assert "Zoë" not in wrong


READ_REPORT = """(async () => {
  const key = await makeKey("%s");
  const file = (await readIndex(key)).files.find((one) => one.name.endsWith("report.html"));
  location.href = URL.createObjectURL(await readFile(key, file));
})()"""


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_a_report_that_is_read_in_the_page_has_its_plots_to_zoom(whole: Packed, tmp_path: Path) -> None:
    """What a page opens is held to the page's own policy, too."""
    assert CHROMIUM is not None
    with Browser(CHROMIUM, tmp_path / "profile") as browser:
        browser.open(whole.folder / PAGE)
        browser.events.clear()
        browser.ask(READ_REPORT % whole.passphrase)
        browser.wait("Page.loadEventFired")
        assert browser.ask("location.protocol") == "blob:"
        assert browser.ask("document.querySelectorAll('svg').length") > 0
        assert browser.ask("[...document.querySelectorAll('header button')].filter((one) => !one.hidden).length") > 0, (
            "its script has run"
        )
        assert browser.ask("[...document.fonts].every((one) => one.status !== 'error')")
        assert browser.complaints() == []


def test_a_visit_with_a_procedure_has_every_part(whole: Packed) -> None:
    assert whole.missing == ()
    files = opened(whole.folder / PAGE, whole.passphrase)
    single = {name for name in files if "/edf/" not in name}
    parts = ("report.pdf", "report.html", "signals.csv", "fhir.json")
    assert single == {*(f"{visits.VISIT.code}/{part}" for part in parts), "contents.txt"}
    assert files[f"{visits.VISIT.code}/report.pdf"].startswith(b"%PDF-")
    assert "Mill Street" in files[f"{visits.VISIT.code}/report.html"].decode()
    assert "Robin Lund" in files[f"{visits.VISIT.code}/fhir.json"].decode()


@pytest.mark.parametrize("when", [0.01, 0.5, 0.99])
def test_whoever_cancels_leaves_nothing_on_stick_or_disk(visit: PackVisit, tmp_path: Path, when: float) -> None:
    before = sorted(tmp_path.iterdir())

    def watch(done: float) -> None:
        if done >= when:
            raise Cancelled

    with pytest.raises(Cancelled):
        make_pack([visit], tmp_path / "pack", tmp_path / "scratch", watch=watch)
    assert sorted(tmp_path.iterdir()) == before


def test_another_part_is_one_line_and_one_that_fails_is_told(visit: PackVisit, tmp_path: Path) -> None:
    def fhir(one: PackVisit, folder: Path, watch: Watch) -> None:
        (folder / "fhir.json").write_text("{}", encoding="utf-8")

    def broken(one: PackVisit, folder: Path, watch: Watch) -> None:
        raise NotFound("Nothing is there.", "Look elsewhere.")

    parts: Any = [*PARTS[:0], ("fhir.json", fhir), ("broken", broken)]
    made = make_pack([visit], tmp_path / "pack", tmp_path / "scratch", parts=parts)
    files = opened(made.folder / PAGE, made.passphrase)
    assert sorted(files) == ["V-77AB/fhir.json", "contents.txt"]
    assert made.missing == (("V-77AB", "broken", "Nothing is there. Look elsewhere."),)


def test_what_no_browser_would_open_is_refused_and_nothing_is_left(
    visit: PackVisit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(sealed, "LARGEST", 100_000)
    with pytest.raises(PackTooLarge, match="fewer visits"):
        make_pack([visit], tmp_path / "pack", tmp_path / "scratch")
    assert sorted(tmp_path.iterdir()) == before
    (tmp_path / "pack").mkdir()
    with pytest.raises(ExportFailed, match="there already"):
        make_pack([visit], tmp_path / "pack", tmp_path / "scratch")
