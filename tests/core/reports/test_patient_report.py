"""The patient's report, made from a real record: what it says, what it shows, and that it is well-formed."""

import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, PdfObject, StreamObject

from core.model.block import SampleBlock
from core.model.clock import ManualClock
from core.model.people import Patient, ToothState, VisitSummary
from core.model.procedure import Choice, ModulePlan, PhaseState, PhaseView, Plan, ProcedureView, Step
from core.model.wear import DAY_US, AtHome, DaySummary
from core.model.words import Text, load_words
from core.people.lexicon import forbidden_in
from core.people.teeth import healthy_teeth
from core.record import NotFound, Record, RecordReader, StampedBlock
from core.record.at_home import at_home
from core.reports.collect import collect
from core.reports.data import Pause, Practice, ReportData
from core.reports.measured import plot_told
from core.reports.patient import ReportFailed, make_report
from core.reports.plot import _ticks
from core.signals.catalogue import load_catalogue

KEY = bytes(range(32))
BEGAN = 1_800_000_000_000_000
SECONDS = 120


def patient(**changes: str) -> Patient:
    base = Patient(
        id="p1",
        version=1,
        code="P-1",
        given_name="Ilse",
        family_name="Ferrand",
        birth_date="1987-05-19",
        simulated=True,
    )
    return msgspec.structs.replace(base, **changes)


def procedure(**changes: object) -> ProcedureView:
    teeth = tuple(ToothState(fdi=36, done="O") if tooth.fdi == 36 else tooth for tooth in healthy_teeth())
    phase = PhaseView(
        number=1, module="repair", key="seal_dentine", tooth=36, seconds=60, dose_percent=100, state=PhaseState.DONE
    )
    view = ProcedureView(
        visit_id="v1",
        visit_code="V-1",
        patient_id="p1",
        chair=1,
        step=Step.CLOSE,
        phases=(phase,),
        teeth=teeth,
        plan=Plan(modules=(ModulePlan(module="repair", choice=Choice.INCLUDED, teeth=(36,)),)),
    )
    return msgspec.structs.replace(view, **changes)


def write(path: Path, view: ProcedureView, who: Patient, *, signals: bool = True) -> Path:
    """A closed record with one visit."""
    clock = ManualClock(utc_us=BEGAN + (SECONDS + 60) * 1_000_000)
    record = Record.create(path, KEY, chair=1, simulated=True, clock=clock)
    visit = VisitSummary(
        id="v1",
        patient_id=who.id,
        code="V-1",
        chair=1,
        began_us=BEGAN,
        ended_us=None,
        state="open",
        title_key="visit.title.procedure",
        simulated=True,
    )
    with record.transaction():
        record.save_patient(who, author="d", reason="test", at_us=BEGAN)
        record.begin_visit(visit)
        record.save_procedure(view, author="d", at_us=BEGAN)
        if signals:
            record.add_blocks("hub", [temperature()], "v1")
        signed = Text("note.signed", {"name": "Dr Vale", "note": ""})
        record.add_event("signed", signed, at_us=BEGAN + 5_000_000, visit_id="v1", author="d")
        record.end_visit("v1", BEGAN + SECONDS * 1_000_000, "complete", (36,), "visit.title.procedure")
    record.close()
    return path


def temperature() -> StampedBlock:
    spec = load_catalogue().key("pulp_temperature")
    t = np.arange(SECONDS * 10) / 10
    raw = np.round((36.2 + 0.8 * np.sin(t / 20)) / spec.scale).astype(np.int16)
    block = SampleBlock(
        channel=spec.number, boot=1, first_index=0, start_us=0, period_us=spec.period_us, samples=raw, sequence=0
    )
    return StampedBlock(block, BEGAN)


def told(path: Path, **practice: str) -> ReportData:
    with RecordReader.open(path, KEY) as reader:
        return collect(reader, "v1", practice=Practice(**practice))


def text_of(path: Path) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(path).pages).split())


def test_its_first_page_answers_the_four_questions(tmp_path: Path) -> None:
    data = told(write(tmp_path / "a.sqlite", procedure(), patient()), name="Mill Street", phone="0123 456")
    made = make_report(data, tmp_path / "report.pdf")

    first = " ".join(PdfReader(made.path).pages[0].extract_text().split())
    for wanted in ("What we did", "How your mouth is", "What to watch for", "Whom to call", "0123 456", "Mill Street"):
        assert wanted in first
    assert "We sealed one tooth, 36" in first
    assert made.preview_png.startswith(b"\x89PNG")
    assert made.pages == len(PdfReader(made.path).pages)


def test_it_is_tagged_and_says_what_it_conforms_to(tmp_path: Path) -> None:
    made = make_report(told(write(tmp_path / "a.sqlite", procedure(), patient())), tmp_path / "report.pdf")
    reader = PdfReader(made.path)
    root = reader.root_object
    assert "/Marked" in str(root["/MarkInfo"].get_object())
    assert "/StructTreeRoot" in root
    assert str(root["/Lang"]) == "en"
    assert reader.metadata is not None
    assert reader.metadata.title == "Your visit, Ilse"
    stream = root["/Metadata"].get_object()
    assert isinstance(stream, StreamObject)
    packet = stream.get_data().decode()
    assert re.search(r"pdfaid:part>2<", packet)
    assert re.search(r"pdfaid:conformance>A<", packet)
    assert re.search(r"pdfuaid:part>1<", packet)


def test_the_plotted_extremes_are_those_of_the_samples(tmp_path: Path) -> None:
    data = told(write(tmp_path / "a.sqlite", procedure(), patient()))
    spec = load_catalogue().key("pulp_temperature")
    values = temperature().block.samples * spec.scale
    signal = data.signal("pulp_temperature")
    assert signal is not None
    assert signal.lowest == pytest.approx(values.min(), abs=1e-4)
    assert signal.highest == pytest.approx(values.max(), abs=1e-4)
    make_report(data, tmp_path / "report.pdf")
    assert f"Between {values.min():.1f} °C and {values.max():.1f} °C" in text_of(tmp_path / "report.pdf")


NAMES = [
    "Ilse",
    '#import "x": *',
    "*_`$<a>@b\\",
    "@module.repair.name",
    "Ильза",
    "Ίλσε",
    "伊尔丝",
    "𠮷田",
    "김민준",
    "W" * 120,
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_set_as_it_is(tmp_path: Path, name: str) -> None:
    made = make_report(
        told(write(tmp_path / "a.sqlite", procedure(), patient(given_name=name))), tmp_path / "report.pdf"
    )
    info = PdfReader(made.path).metadata
    assert info is not None
    assert info.title == f"Your visit, {name}"
    said = text_of(made.path).replace(" ", "")
    assert name.replace(" ", "") in said
    assert "couldnotbeprinted" not in said


@pytest.mark.parametrize("name", ["Ilse 🦷", "إلسا", "\ue000"])
def test_a_name_that_no_font_has_letters_for_is_left_out_and_said(tmp_path: Path, name: str) -> None:
    make_report(told(write(tmp_path / "a.sqlite", procedure(), patient(given_name=name))), tmp_path / "report.pdf")
    info = PdfReader(tmp_path / "report.pdf").metadata
    assert info is not None
    assert info.title == "Your visit"
    assert "Your name could not be printed here" in text_of(tmp_path / "report.pdf")


def test_nothing_but_the_report_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = told(write(tmp_path / "a.sqlite", procedure(), patient()))
    (tmp_path / "temporary").mkdir()
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    written: list[str] = []
    # An audit hook sees every file that Python opens for writing, also one that is gone again at once.
    _watch_files(written)
    make_report(data, tmp_path / "out" / "report.pdf")
    inside = {Path(name).parent for name in written}
    assert inside == {tmp_path / "out"}
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.pdf"]
    assert not any((tmp_path / "temporary").iterdir())


def _watch_files(written: list[str]) -> None:
    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
            written.append(str(arguments[0]))

    sys.addaudithook(hook)


@pytest.mark.parametrize(
    "view",
    [
        procedure(phases=(), plan=None, teeth=()),
        procedure(ended_early=True),
        procedure(plan=Plan(modules=(ModulePlan(module="balance", choice=Choice.DECLINED),)), phases=()),
    ],
    ids=["nothing begun", "ended early", "all declined"],
)
def test_every_kind_of_visit_has_a_report_without_gaps_in_its_words(tmp_path: Path, view: ProcedureView) -> None:
    make_report(told(write(tmp_path / "a.sqlite", view, patient(), signals=False)), tmp_path / "report.pdf")
    said = text_of(tmp_path / "report.pdf")
    assert not re.search(r"\[[a-z_]+(\.[a-z_0-9]+)+\]", said), "a sentence is missing"
    assert not re.search(r"\{[a-z]+\}", said), "a value is missing"


def test_it_uses_no_word_that_patients_should_not_read(tmp_path: Path) -> None:
    make_report(told(write(tmp_path / "a.sqlite", procedure(), patient())), tmp_path / "report.pdf")
    said = text_of(tmp_path / "report.pdf").split("For your next dentist")[0].lower()
    assert "what we measured" in said
    for word in ("swarm", "nanobot", "envelope", "dose", "malfunction", "runaway"):
        assert word not in said


def test_a_place_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    data = told(write(tmp_path / "a.sqlite", procedure(), patient()))
    (tmp_path / "taken").write_text("a file where a folder should be")
    with pytest.raises(ReportFailed):
        make_report(data, tmp_path / "taken" / "report.pdf")
    assert sorted(path.name for path in tmp_path.glob("*.part")) == []


def test_a_device_is_not_replaced_by_a_report(tmp_path: Path) -> None:
    data = told(write(tmp_path / "a.sqlite", procedure(), patient()))
    (tmp_path / "folder.pdf").mkdir()
    with pytest.raises(ReportFailed, match="no file"):
        make_report(data, tmp_path / "folder.pdf")
    assert (tmp_path / "folder.pdf").is_dir()


def test_an_unknown_visit_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "a.sqlite", procedure(), patient())
    with RecordReader.open(path, KEY) as reader, pytest.raises(NotFound):
        collect(reader, "nobody")


def wear(path: Path) -> AtHome:
    """Sixty days at home before the visit, in the record of the visit."""
    today = BEGAN // DAY_US
    record = Record.open(path, KEY, clock=ManualClock(BEGAN))
    with record.transaction():
        record.worn("hub", "v1", BEGAN)
        days = [DaySummary(day=today - ago, worn_s=60_000, acid_s=2400, attacks=4) for ago in range(60, 0, -1)]
        record.add_wear("hub", days, [], read_us=BEGAN)
    record.close()
    with RecordReader.open(path, KEY) as reader:
        return at_home([reader], "p1", until=today)


def alternatives(node: object) -> Iterator[str]:
    """Every text that stands for a picture, down from a node of the structure tree."""
    found = node.get_object() if isinstance(node, PdfObject) else node
    if isinstance(found, DictionaryObject):
        if "/Alt" in found:
            yield str(found["/Alt"])
        yield from alternatives(found.get("/K"))
    elif isinstance(found, ArrayObject):
        for one in found:
            yield from alternatives(one)


def test_the_days_at_home_are_in_the_report_for_eyes_and_ears(tmp_path: Path) -> None:
    path = write(tmp_path / "a.sqlite", procedure(), patient())
    home = wear(path)
    with RecordReader.open(path, KEY) as reader:
        make_report(collect(reader, "v1", home=home), tmp_path / "report.pdf")
    said = text_of(tmp_path / "report.pdf")
    assert "Your days at home" in said
    assert "There was acid at your tooth for 40 minutes a day." in said
    assert forbidden_in(said.split("For your next dentist")[0]) == ()
    heard = list(alternatives(PdfReader(tmp_path / "report.pdf").root_object["/StructTreeRoot"]))
    assert any(text.startswith("One bar for each day, up to 14 January 2027") for text in heard), heard


def test_without_days_at_home_the_report_does_not_speak_of_them(tmp_path: Path) -> None:
    make_report(told(write(tmp_path / "a.sqlite", procedure(), patient())), tmp_path / "report.pdf")
    assert "at home" not in text_of(tmp_path / "report.pdf")


@pytest.mark.parametrize(("low", "high"), [(-0.3, 128.0), (-12.0, 112.0), (-0.05, 0.4), (35.9, 39.1)])
def test_the_figures_of_an_axis_have_no_negative_zero(low: float, high: float) -> None:
    figures = [f"{tick:g}" for tick in _ticks(low, high)]
    assert len(figures) >= 2
    assert "-0" not in figures


def test_a_figure_and_its_unit_stay_on_one_line_and_the_plot_names_the_unit(tmp_path: Path) -> None:
    data = told(write(tmp_path / "a.sqlite", procedure(), patient()))
    (signal,) = data.signals
    said = plot_told(data, signal, load_words())
    assert said["title"] == "Warmth of the tooth (°C)"
    assert "\N{NO-BREAK SPACE}°C" in str(said["text"])
    assert " °C" not in str(said["text"])


def test_the_fullest_first_page_is_still_one_page(tmp_path: Path) -> None:
    """Two teeth in a gentler way, everything else, many pauses, an early end, and all that is to be watched."""
    parts = (("repair", 36), ("repair", 46), ("balance", 0), ("augment", 0))
    phases = tuple(
        PhaseView(
            number=number, module=module, key="seal", tooth=tooth, seconds=60, dose_percent=60, state=PhaseState.DONE
        )
        for number, (module, tooth) in enumerate(parts, 1)
    )
    rows = (
        ModulePlan(module="repair", choice=Choice.GENTLER, teeth=(36, 46), dose_percent=60),
        ModulePlan(module="balance", choice=Choice.INCLUDED),
        ModulePlan(module="augment", choice=Choice.INCLUDED),
    )
    view = procedure(phases=phases, plan=Plan(modules=rows), ended_early=True)
    data = told(write(tmp_path / "a.sqlite", view, patient()), name="Mill Street", phone="0123 456")
    pauses = (Pause(True, True), Pause(True, True), Pause(False, True), Pause(False, True))
    made = make_report(replace(data, pauses=pauses), tmp_path / "r.pdf")
    first, second = (" ".join(page.extract_text().split()) for page in PdfReader(made.path).pages[:2])
    for wanted in ("You paused us 2 times", "We ended early", "Tiny helpers stay in", "Swelling or fever", "0123 456"):
        assert wanted in first
    assert second.startswith("What we measured")
