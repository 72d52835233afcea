"""What the report says, before it is set: every word is there, every moment is told as a patient would tell it."""

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest

from core.model.alarm import Alarm, AlarmPriority, AlarmState
from core.model.limits import Limit, LimitOwner
from core.model.people import Patient, VisitSummary
from core.model.procedure import Choice, ModulePlan, PhaseState, PhaseView, Plan, ProcedureView, Step
from core.model.wear import DAY_US, AtHome, HomeDay
from core.model.words import Text, load_words
from core.people.at_home import change
from core.people.lexicon import forbidden_in
from core.people.teeth import healthy_teeth
from core.procedure.modules import load_modules
from core.record.types import Columns, RecordedMoment
from core.reports.collect import PLOTTED, pauses
from core.reports.data import Happening, Pause, Practice, ReportData, Signal
from core.reports.letters import GUARD
from core.reports.told import tell
from core.safety.alarm_catalogue import load_alarms
from core.signals.catalogue import load_catalogue

BEGAN = 1_800_000_000_000_000
WORDS = load_words("en")


def visit(**changes: object) -> ReportData:
    """A visit of ten minutes in which everything happened that can."""
    data = ReportData(
        practice=Practice("Mill Street", "0123 456"),
        patient=Patient(
            id="p", version=1, code="P", given_name="Ilse", family_name="F", birth_date="1987-05-19", simulated=True
        ),
        visit=VisitSummary(
            id="v",
            patient_id="p",
            code="V",
            chair=1,
            began_us=BEGAN,
            ended_us=BEGAN + 600_000_000,
            state="complete",
            title_key="visit.title.procedure",
            simulated=True,
        ),
        procedure=_procedure(),
        signals=tuple(_signal(key) for key in PLOTTED),
        more_signals=True,
        happenings=tuple(_moments()),
        pauses=(Pause(True, True), Pause(False, True)),
        alarms=tuple(_alarms()),
        signed_by="Dr Vale",
        made_us=BEGAN + 700_000_000,
        utc_offset_s=3600,
        home=at_home(),
    )
    return dataclasses.replace(data, **changes)  # type: ignore[arg-type]


TODAY = BEGAN // DAY_US
SEAT = TODAY - 40


def at_home(since: float = 38, before: float = 52, days: int = 90, **how: int) -> AtHome:
    """Days up to the visit, each kind among them, the last of them not over."""
    known = []
    for day in range(TODAY - days + 1, TODAY):
        minutes = (since if day > SEAT else before) + (3 if day % 2 else -3)
        worn_s = how.get("worn_s", 50_000) if day > SEAT else 50_000
        known.append(HomeDay(day=day, worn_s=worn_s, acid_s=round(minutes * 60), attacks=4))
    known = [day for day in known if day.day % 20]
    known += [HomeDay(day=TODAY - 10, worn_s=0), HomeDay(day=TODAY, worn_s=600, whole=False)]
    ordered = sorted({day.day: day for day in known}.values(), key=lambda day: day.day)
    return AtHome(days=tuple(ordered), visits=(SEAT, TODAY), change=change(ordered, [SEAT, TODAY]))


def home_of(home: AtHome | None) -> dict[str, Any]:
    found = tell(visit(home=home), WORDS)["home"]
    assert isinstance(found, dict)
    return found


def _procedure() -> ProcedureView:
    phases = [
        PhaseView(
            number=number,
            module=module.key,
            key=phase.key,
            tooth=36,
            seconds=60,
            dose_percent=50,
            state=PhaseState.DONE,
        )
        for module in load_modules()
        for number, phase in enumerate(module.phases, 1)
    ]
    plan = Plan(
        modules=tuple(
            ModulePlan(module=module.key, choice=choice, teeth=(36,))
            for module, choice in zip(load_modules(), Choice, strict=False)
        ),
        own_limits=(Limit(channel="pulp_temperature", high=38.0, owner=LimitOwner.PATIENT, reason="limit.reason.own"),),
    )
    return ProcedureView(
        visit_id="v",
        visit_code="V",
        patient_id="p",
        chair=1,
        step=Step.CLOSE,
        phases=tuple(phases),
        teeth=healthy_teeth(),
        plan=plan,
        signed_us=BEGAN + 650_000_000,
    )


def _signal(key: str) -> Signal:
    at = BEGAN + np.arange(10, dtype=np.int64) * 60_000_000
    level = np.full(10, 37.0, np.float32)
    columns = Columns(at_us=at, low=level, high=level + 1, mean=level, gaps=(), samples=False)
    limits = tuple(Limit(channel=key, high=39.0, owner=owner, reason="limit.reason.own") for owner in LimitOwner)
    return Signal(
        load_catalogue().key(key), columns, 37.0, 38.0, 37.5, limits, ((BEGAN + 60_000_000, BEGAN + 90_000_000),)
    )


def _moments() -> Iterator[Happening]:
    kinds = [key.removeprefix("report.moment.") for key in WORDS.keys() if key.startswith("report.moment.")]  # noqa: SIM118
    for kind in sorted(kinds):
        values = {"words": "hm", "phase": "@module.repair.phase.seal_dentine", "name": "Dr Vale"}
        yield Happening(BEGAN, kind, Text(f"note.{kind}", dict(values)), "patient")
    for cause in _holds():
        yield Happening(BEGAN, "held", Text(f"hold.{cause}.reason", {}), "device")


def _holds() -> list[str]:
    return sorted({key.split(".")[1] for key in WORDS.keys() if key.startswith("hold.")})  # noqa: SIM118


def _alarms() -> Iterator[Alarm]:
    for number, kind in enumerate(load_alarms().kinds):
        text = Text(f"alarm.{kind}.text", {"name": "@channel.pulp_temperature.name"})
        yield Alarm(
            id=str(number),
            chair=1,
            kind=kind,
            priority=AlarmPriority.LOW,
            state=AlarmState.ENDED,
            text=text,
            remedy=text,
            began_us=BEGAN,
            ended_us=BEGAN + 60_000_000,
            latching=False,
        )


def strings(told: object) -> Iterator[str]:
    match told:
        case str():
            yield told
        case dict():
            for value in told.values():
                yield from strings(value)
        case list():
            for value in told:
                yield from strings(value)


def test_no_word_is_missing_in_a_visit_in_which_everything_happened() -> None:
    said = list(strings(tell(visit(), WORDS)))
    assert len(said) > 150
    for text in said:
        assert not re.search(r"\[[a-z_]+(\.[a-z_0-9]+)+\]", text), text
        assert not re.search(r"\{[a-z]+\}", text) or text.startswith("<svg"), text


def test_every_alarm_every_hold_and_every_phase_has_words_for_patients() -> None:
    table = WORDS.keys()
    assert [kind for kind in load_alarms().kinds if f"report.alarm.{kind}" not in table] == []
    steps = {f"report.step.{module.key}.{phase.key}" for module in load_modules() for phase in module.phases}
    assert steps - table == set()
    assert {key for key in table if key.startswith("report.step.")} == steps
    channels = {spec.key for spec in load_catalogue()}
    assert {key.split(".")[2] for key in table if key.startswith("report.channel.")} <= channels
    held = {key.removeprefix("report.held.") for key in table if key.startswith("report.held.")} - {"other"}
    assert held <= set(_holds())


def test_no_hold_is_told_in_staffs_words() -> None:
    rows = tell(visit(), WORDS)["happenings"]
    assert isinstance(rows, list)
    told = {row["text"] for row in rows}
    assert "Your hub paused by itself." in told
    assert not any("lease" in text.lower() or "dose" in text.lower() for text in told)


@pytest.mark.parametrize("free", ["@module.repair.name", "@nobody.knows", "{phase}", "<b>*x*"])
def test_free_text_stays_what_was_said(free: str) -> None:
    moment = Happening(BEGAN, "comfort_words", Text("note.comfort_words", {"words": GUARD + free}), "patient")
    rows = tell(visit(happenings=(moment,)), WORDS)["happenings"]
    assert isinstance(rows, list)
    assert rows[0]["text"] == f"Your words: {free}"


def test_a_gap_is_told_and_drawn() -> None:
    plots = tell(visit(), WORDS)["plots"]
    assert isinstance(plots, list)
    assert "Stripes mark 30 s in which nothing was recorded." in plots[0]["text"]
    assert 'fill="url(#gap)"' in plots[0]["picture"]
    whole = dataclasses.replace(visit().signals[0], gaps=())
    plots = tell(visit(signals=(whole,)), WORDS)["plots"]
    assert isinstance(plots, list)
    assert "Stripes" not in plots[0]["text"]
    assert 'fill="url(#gap)"' not in plots[0]["picture"]


def test_each_pause_is_counted_once_and_so_is_who_asked_first() -> None:
    def moment(kind: str, key: str) -> RecordedMoment:
        return RecordedMoment(at_us=BEGAN, kind=kind, text=Text(key, {}), voice="device")

    found = list(
        pauses(
            [
                moment("held", "hold.limit.reason"),
                moment("held", "hold.patient.reason"),
                moment("resumed", "note.resumed"),
                moment("held", "hold.patient_stop.reason"),
                moment("ended_early", "note.ended_early"),
            ]
        )
    )
    assert found == [Pause(by_patient=False, went_on=True), Pause(by_patient=True, went_on=False)]


def test_who_did_not_sign_is_not_named() -> None:
    unsigned = msgspec.structs.replace(visit().procedure, signed_us=None)
    told = tell(visit(procedure=unsigned, signed_by=""), WORDS)
    assert told["signed"] == "Not signed yet"
    assert told["subtitle"] == "15 January 2027"


def test_the_days_at_home_are_told_as_far_as_they_are_known() -> None:
    told = home_of(at_home())
    assert told["text"].startswith(
        "Your hub keeps a note of each day. Of the 86 days that are known, up to 15 January 2027, you wore it on 85. "
        "Since your visit on 6 December 2026 there was less acid at your tooth: 38 minutes a day, 52 before it."
    )
    assert told["alt"].startswith("One bar for each day, up to 15 January 2027")
    assert told["text"].endswith(told["alt"].split("hub. ")[1]), "who cannot see the picture hears the same"
    assert [row["text"].split(",")[0] for row in told["legend"]] == [
        "minutes of acid",
        "worn for less than 6 hours",
        "not worn",
        "empty: not known",
        "a visit",
    ]


ANSWERS = [
    (at_home(since=70), "more acid at your tooth: 70 minutes a day, 52 before it. We look for the reason together"),
    (at_home(since=51), "we see no clear change: 51 minutes of acid a day, 52 before it."),
    (at_home(since=20, worn_s=25_000), "so we do not compare them"),
    (at_home(days=44), "There are too few days yet"),
    (at_home(days=30), "Since your visit on 6 December 2026 there was acid at your tooth for 38 minutes a day."),
    (AtHome(days=(HomeDay(day=TODAY - 1, worn_s=60),)), "One is known so far, 14 January 2027."),
]


@pytest.mark.parametrize(("home", "said"), ANSWERS, ids=["more", "alike", "uneven", "few", "alone", "nothing"])
def test_nothing_is_claimed_of_the_days_at_home_that_they_do_not_show(home: AtHome, said: str) -> None:
    told = home_of(home)
    assert said in told["text"]
    assert "less acid" not in told["text"]
    for text in strings(told):
        assert not re.search(r"\[[a-z_]+(\.[a-z_0-9]+)+\]|\{[a-z]+\}", text) or text.startswith("<svg"), text


def test_without_a_day_at_home_there_is_no_section() -> None:
    seated = AtHome(days=(HomeDay(day=TODAY - 1, worn_s=0), HomeDay(day=TODAY, worn_s=600, whole=False)))
    for home in (None, AtHome(), seated):
        assert tell(visit(home=home), WORDS)["home"] is None


def test_no_word_about_the_days_at_home_is_forbidden() -> None:
    keys = [key for key in WORDS.keys() if key.startswith("report.home.")]  # noqa: SIM118
    assert len(keys) > 10
    assert [(key, forbidden_in(WORDS.say(key))) for key in keys if forbidden_in(WORDS.say(key))] == []


def test_the_picture_has_a_bar_for_each_day_in_proportion() -> None:
    home = at_home()
    picture = home_of(home)["picture"]
    bars = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="4.6" height="([\d.]+)" fill="#1F6657"/>', picture)
    minutes = [day.acid_s / 60 for day in home.days if day.worn_s > 6 * 3600]
    assert len(bars) == len(minutes)
    heights = [float(high) for _, _, high in bars]
    assert heights == pytest.approx([minute * heights[0] / minutes[0] for minute in minutes], abs=0.2)
    assert picture.count('fill="url(#gap)"') == 1, "the day without wear"
    assert picture.count("<circle") == 2, "the visits"
    assert "52 before" in picture
    assert "38 since" in picture
