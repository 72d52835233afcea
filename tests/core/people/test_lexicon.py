"""What patients read: plain, kind, and never more certain than anybody is."""

import pytest

from core.model.words import load_words
from core.people.lexicon import for_patients, forbidden_in, load_lexicon
from core.signals.catalogue import load_catalogue

WORDS = load_words()
PATIENT_KEYS = sorted(filter(for_patients, WORDS.keys()))


def test_there_are_texts_for_patients_in_every_place_where_they_read() -> None:
    assert {key.split(".")[0] for key in PATIENT_KEYS} == {"patient", "comfort", "module", "channel"}
    assert len(PATIENT_KEYS) > 50


@pytest.mark.parametrize("key", PATIENT_KEYS)
def test_no_patient_reads_a_forbidden_word_or_is_shouted_at(key: str) -> None:
    sentence = WORDS.say(key)
    assert forbidden_in(sentence) == ()
    assert "!" not in sentence


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("The swarms are parked.", ("swarm*",)),
        ("You are safe.", ("safe",)),
        ("This erases all problems.", ("erases*", "all problems")),
        ("Out of envelope dose", ("dose*", "out of envelope", "envelope*")),
        ("A safety check", ()),
        ("Your jaw is doing well.", ()),
    ],
)
def test_forbidden_words_are_found_as_words(sentence: str, found: tuple[str, ...]) -> None:
    assert set(forbidden_in(sentence)) == set(found)


def test_the_words_offered_to_patients_are_not_forbidden_themselves() -> None:
    for entry in load_lexicon():
        assert forbidden_in(entry.patient) == ()


def test_every_channel_has_a_name_a_plain_sentence_and_a_note_on_what_is_normal() -> None:
    keys = [f"channel.{spec.key}.{part}" for spec in load_catalogue() for part in ("name", "short", "plain", "normal")]
    assert [key for key in keys if key not in WORDS] == []
