"""What the documents say exists, exists."""

import ast
import re
from pathlib import Path

import click
import msgspec
import pytest

from app.cli import cli
from core.model.words import load_words
from core.record.schema import record_migrations
from core.record.sqlcipher import Database
from core.signals.catalogue import own_catalogue
from devices.simulator.control import Control
from devices.simulator.physiology.figures import load_physiology
from devices.simulator.scenarios.registry import ATTACKS

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
GUIDE = ROOT / "docs" / "operators-guide.md"

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def anchors(document: Path) -> set[str]:
    """The anchors that a document's headings make, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", read(document), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_nowhere(document: Path, link: str) -> bool:
    place, _, anchor = link.partition("#")
    file = (document.parent / place).resolve() if place else document
    return not file.exists() or bool(anchor and anchor not in anchors(file))


def resolve(words: list[str]) -> click.Command | None:
    """The command that `main.py WORDS` runs; words past the last command are its arguments. None: no such command."""
    command: click.Command = cli
    while isinstance(command, click.Group) and words and re.fullmatch(r"[a-z-]+", words[0]) and words[0][0] != "-":
        found = command.commands.get(words[0])
        if found is None:
            return None
        command, words = found, words[1:]
    return command


@every_document
def test_every_relative_link_and_picture_leads_somewhere(document: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", read(document)) if "://" not in link]
    assert [link for link in links if leads_nowhere(document, link)] == []


@every_document
def test_every_picture_says_what_it_shows(document: Path) -> None:
    assert "![](" not in read(document)


@every_document
def test_every_path_of_the_house_that_is_named_exists(document: Path) -> None:
    named = re.findall(r"`((?:app|core|devices|widgets|resources|tests|tools|docs)/[\w/.-]+)`", read(document))
    assert [path for path in named if not (ROOT / path).exists()] == []


@every_document
def test_every_command_that_is_named_exists_with_its_options(document: Path) -> None:
    wrong = []
    for line in re.findall(r"main\.py((?: [\w./:-]+)+)", read(document)):
        command = resolve(line.split())
        known = {option for one in command.params for option in one.opts} if command is not None else set()
        if command is None or not {word for word in line.split() if word.startswith("--")} <= known | {"--help"}:
            wrong.append(line)
    assert wrong == []


def test_the_readme_names_every_command() -> None:
    named = set(re.findall(r"main\.py ([a-z]+)", read(ROOT / "README.md")))
    assert named >= set(cli.commands)


@every_document
def test_every_target_of_make_that_is_named_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), flags=re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", read(document), flags=re.MULTILINE))
    assert named <= targets


def test_the_readme_opens_with_a_picture() -> None:
    title, picture, *_ = [line for line in read(ROOT / "README.md").splitlines() if line]
    assert title.startswith("# ")
    assert picture.startswith("![")


def test_every_picture_is_shown_and_comes_from_the_tour() -> None:
    calls = [
        node
        for node in ast.walk(ast.parse(read(ROOT / "app" / "tour" / "story.py")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "picture"
    ]
    named = {str(ast.literal_eval(one.args[0])) for one in calls if isinstance(one.args[0], ast.Constant)}
    taken = named | {str(word.arg).replace("_", "-") for one in calls for word in one.keywords}
    here = {file.name for file in PICTURES.glob("*.png")}
    shown = {name for file in DOCUMENTS for name in re.findall(r"pictures/([\w.-]+)\)", read(file))}
    assert here == shown
    assert shown <= {f"{name}-light.png" for name in taken}


def test_every_step_of_a_visit_is_in_the_guide_under_its_name() -> None:
    words = load_words("en")
    titles = [key for key in words.keys() if key.startswith("chair.title.")]  # noqa: SIM118 - not a dictionary
    headings = re.findall(r"^### \d+\. (.+)$", read(GUIDE), flags=re.MULTILINE)
    assert set(headings) == {words.say(key) for key in titles}


def test_every_channel_is_described_as_it_is() -> None:
    table = read(ROOT / "docs" / "channels.md")
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", table, re.MULTILINE)
    origin = {
        "hub": "hub",
        "heart_rate": "heart-rate sensor",
        "pulse_oximeter": "pulse oximeter",
        "thermometer": "thermometer",
    }
    words = load_words("en")
    assert rows == [
        (
            str(spec.number),
            spec.key,
            words.say(f"channel.{spec.key}.name"),
            spec.unit,
            f"{spec.rate_hz:g}",
            f"{spec.scale:g}",
            origin[spec.source],
        )
        for spec in sorted(own_catalogue(), key=lambda spec: spec.number)
    ]


def test_every_table_of_the_record_is_described() -> None:
    database = Database(memory=True)
    record_migrations.apply(database)
    rows = re.findall(r"^\| (`[\w`, ]+`) \|", read(ROOT / "docs" / "record.md"), re.MULTILINE)
    described = {name.strip("` ") for row in rows for name in row.split(",")}
    inside = ("_", "sqlite_", "search_word_")  # the last are FTS5's own
    assert {name for name in database.table_names() if not name.startswith(inside)} == described


def test_every_figure_of_the_simulated_patient_is_told_as_it_is() -> None:
    text = read(ROOT / "docs" / "physiology.md")
    told = re.findall(r"^\| `([a-z]\w+\.\w+)` \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    figures = load_physiology()
    assert told == [
        (
            name,
            figure.what,
            f"{figure.value:g}" + (f" ± {figure.spread:g}" if figure.spread else ""),
            figure.unit,
            figure.source,
        )
        for name, figure in figures.figures()
    ]
    sites = re.findall(r"^\| (upper|lower) \| (\w+) \| (\S+) \| (\S+) \| (\S+) \| (.+?) \|$", text, re.MULTILINE)
    assert sites == [
        (site.jaw, site.kind, f"{site.access:g}", f"{site.thickness:g}", f"{site.reach:g}", site.source)
        for site in figures.site
    ]


def test_every_message_that_a_tester_reads_about_is_heard() -> None:
    lines = re.findall(r"`(\{\"type\".+?\})`", read(ROOT / "docs" / "physiology.md"))
    assert len(lines) > 10
    for line in lines:
        msgspec.json.decode(line, type=Control)


def test_every_attack_has_a_defence_and_a_test_that_exists() -> None:
    text = read(ROOT / "docs" / "security.md")
    rows = re.findall(r"^\| ([^*|]+?) \| ([^|]+?) \| `(test_\w+)` \|$", text, re.MULTILINE)
    assert len(rows) > 30
    tests = "".join(read(file) for file in (ROOT / "tests").rglob("test_*.py"))
    assert [name for *_, name in rows if f"def {name}(" not in tests] == []
    played = [name for attack, *_ in rows for name in re.findall(r"\(`(\w+)`\)", attack)]
    assert sorted(played) == sorted(ATTACKS)


def test_every_decision_says_what_why_and_whether_it_stands() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    for number, record in enumerate(records, 1):
        assert record.name.startswith(f"{number:04d}-")
        text = read(record)
        assert text.startswith(f"# {number}. "), record.name
        assert [part for part in ("**Decision.**", "**Why.**", "**Status.**") if part not in text] == [], record.name


def test_the_changelog_has_a_place_for_what_comes() -> None:
    assert "## [Unreleased]" in read(ROOT / "CHANGELOG.md")


def test_every_package_is_described_in_the_architecture() -> None:
    text = read(ROOT / "docs" / "architecture.md")
    rooms = [f"{path.parent.name}/" for path in ROOT.glob("*/*/__init__.py") if path.parts[-3] in ("app", "devices")]
    rooms += ["core/", "devices/", "widgets/", "resources/"]
    assert [room for room in rooms if room not in text] == []
