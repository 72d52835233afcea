"""What the report says, before it is set: every word is there, every moment is told as a patient would tell it."""

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from core.model.procedure import PhaseState
from core.model.wear import AtHome, HomeDay
from core.model.words import Text, Words, WordsError, load_words
from core.people.lexicon import forbidden_in
from core.procedure.modules import load_modules
from core.record.types import RecordedMoment
from core.reports import languages
from core.reports.collect import pauses
from core.reports.data import Happening, Pause, View
from core.reports.languages import LANGUAGES, needed, report_words
from core.reports.letters import GUARD
from core.reports.told import tell
from core.safety.alarm_catalogue import load_alarms
from core.signals.catalogue import load_catalogue
from tests.core.reports.visits import BEGAN, TODAY, WORDS, at_home, holds, visit


def home_of(home: AtHome | None) -> dict[str, Any]:
    found = tell(visit(home=home), WORDS)["home"]
    assert isinstance(found, dict)
    return found


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_is_missing_in_a_visit_in_which_everything_happened(language: str) -> None:
    told = tell(visit(), report_words(language))
    said = list(strings({key: value for key, value in told.items() if key != "html_words"}))
    assert len(said) > 150
    assert told["letters"] == "", "the shipped fonts have every letter of it"
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
    assert {key.split(".")[2] for key in table if key.startswith("report.channel.")} == channels
    held = {key.removeprefix("report.held.") for key in table if key.startswith("report.held.")} - {"other"}
    assert held <= set(holds())


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
    assert found == [
        Pause(False, went_on=True, began_us=BEGAN, ended_us=BEGAN, cause="hold.limit.reason"),
        Pause(True, went_on=False, began_us=BEGAN, ended_us=BEGAN, cause="hold.patient_stop.reason"),
    ]


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_says_in_its_language_that_nobody_has_reviewed_it(language: str) -> None:
    words = report_words(language)
    assert not words.reviewed, "and if somebody has: name them in the pull request"
    assert tell(visit(), words)["unreviewed"] == words.say("report.unreviewed")
    reviewed = Words(language, {key: words.template(key) for key in words.keys()}, reviewed=True)  # noqa: SIM118
    assert tell(visit(), reviewed)["unreviewed"] == ""


def test_a_language_that_lacks_a_sentence_or_a_value_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = load_words("es")
    table = {key: whole.template(key) for key in whole.keys()}  # noqa: SIM118
    english = load_words("en")
    refused = {
        "lacks report.title": {key: said for key, said in table.items() if key != "report.title"},
        "report.title has other values": table | {"report.title": "Su visita"},
    }
    for why, broken in refused.items():
        given = {"es": Words("es", broken), "en": english}
        monkeypatch.setattr(languages, "load_words", given.get)
        languages.report_words.cache_clear()
        with pytest.raises(WordsError, match=why):
            languages.report_words("es")
    languages.report_words.cache_clear()
    with pytest.raises(WordsError, match="no reports in 'fr'"):
        report_words("fr")


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_no_translation_stands_idle_or_is_still_english(language: str) -> None:
    words = report_words(language)
    assert words.keys() == needed()
    bare = {key: re.sub(r"\{\w+\}", "", words.template(key)) for key in needed()}
    same = {key for key in needed() if words.template(key) == WORDS.template(key) and re.search("[a-z]{4}", bare[key])}
    assert same <= {"report.channel.saliva_flow.title", "report.channel.lactate.value"}, "saliva, mmol/L"


def test_figures_and_dates_are_those_of_the_language() -> None:
    spanish, chinese = (tell(visit(), report_words(language)) for language in ("es", "zh"))
    assert "15 de enero de 2027" in str(spanish["subtitle"])
    assert "2027年1月15日" in str(chinese["subtitle"])
    assert "37,5" in str(spanish["plots"])
    assert not re.search(r"\d\.\d", " ".join(row["text"] for row in spanish["plots"]))  # type: ignore[attr-defined]
    assert "37.5" in str(chinese["plots"])


def test_who_looked_is_named_and_how_often() -> None:
    views = (View("d", "visit", 3, BEGAN), View("gone", "unheard", 1, BEGAN))
    assert tell(visit(views=views), WORDS)["viewed"] == [
        "Dr Vale looked at a visit of yours 3 times. The last time was on 15 January 2027 at 9:00.",
        "Somebody of the practice looked at your data, on 15 January 2027 at 9:00.",
    ]
    assert tell(visit(views=()), WORDS)["viewed"] == ["Our log shows no look at your data so far."]
    assert tell(visit(views=None), WORDS)["viewed"] == []


def clinical(**changes: object) -> dict[str, Any]:
    found = tell(visit(**changes), WORDS)["clinical"]
    assert isinstance(found, dict)
    return found


def test_the_next_dentist_reads_teeth_before_and_after() -> None:
    told = visit()
    before = tuple(
        msgspec.structs.replace(tooth, finding="OD", icdas=2, note="Exposed neck") if tooth.fdi == 36 else tooth
        for tooth in told.teeth_before
    )
    after = tuple(msgspec.structs.replace(tooth, done="O") if tooth.fdi == 36 else tooth for tooth in before)
    found = clinical(teeth_before=before, procedure=msgspec.structs.replace(told.procedure, teeth=after))
    assert found["teeth"] == [
        ["36", "finding OD, ICDAS 2, Exposed neck", "finding OD, treated O, ICDAS 2, Exposed neck"]
    ]
    assert 'class="done"' not in found["before"]["picture"]
    assert found["after"]["picture"].count('class="done"') == 1
    assert "Treated: 36." in found["after"]["alt"]


def test_the_next_dentist_reads_signals_with_their_limits_and_alarms_with_their_end() -> None:
    found = clinical()
    assert found["signals"][0] == [
        "Pulp temperature (°C)",
        *("37.2", "37.8", "37.0", "37.5", "38.0"),
        "at most 39\N{NO-BREAK SPACE}°C (yours); at most 39\N{NO-BREAK SPACE}°C (dentist); "
        "at most 39\N{NO-BREAK SPACE}°C (treatment); at most 39\N{NO-BREAK SPACE}°C (hub); 30 s not recorded",
    ]
    assert found["pauses"] == [
        ["9:01", "30 s", "You paused us.", "resumed"],
        ["9:02", "10 s", "A value came to its limit, and we paused.", "resumed"],
    ]
    assert len(found["alarms"]) == len(load_alarms().kinds)
    assert found["alarms"][0][2:] == ["low", "60 s", "nobody"]
    assert "(link.lost)" in str(found["alarms"])


def test_nothing_is_said_not_to_have_been_done_while_that_is_unknown() -> None:
    def did(state: PhaseState, elapsed_s: float = 0.0) -> str:
        phase = msgspec.structs.replace(visit().procedure.phases[0], state=state, elapsed_s=elapsed_s)
        return str(tell(visit(procedure=msgspec.structs.replace(visit().procedure, phases=(phase,))), WORDS)["did"])

    assert did(PhaseState.WAITING).startswith("We looked and measured. Nothing was done to your teeth.")
    for begun in (did(PhaseState.UNKNOWN), did(PhaseState.HELD), did(PhaseState.SKIPPED, 3.0)):
        assert "Nothing was done" not in begun
    assert did(PhaseState.UNKNOWN).startswith("We do not know yet how far one step went. Your dentist is checking.")
    assert did(PhaseState.SKIPPED, 3.0).startswith("We began one step and did not finish it.")
