"""A FHIR R4 Patient out of a file: what of it we can take, what stands beside it, and why a file is refused.

Nothing is guessed: a name without parts, a birth date without a day, a patient who has died are refused, with the place
in the file. What has no place here is left out and told.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NoReturn

import msgspec

from core.model.errors import SmilescapeError
from core.model.words import Text, load_words

MAX_BYTES = 4 << 20
"""A patient takes a kilobyte; a picture may come with it. Whatever is larger is refused unread."""
LONGEST = 200
"""Characters of a name or a telephone number."""

Json = Mapping[str, object]

TAKEN = frozenset({"resourceType", "name", "birthDate", "telecom"})
QUIET = frozenset({"id", "meta", "text", "language", "active", "deceasedBoolean", "identifier"})
"""Read, or of no matter to a person: not worth a line."""
NAME_USES = ("official", "usual", None)
PHONE_USES = ("mobile", "home", "work", None)
_PARTIAL = re.compile(r"\d{4}(-\d{2})?")


class FileRefused(SmilescapeError):  # noqa: N818 - named for what is the case
    """A file that cannot be taken as a patient.

    Attributes:
        why: the last part of the code, such as `partial_date`.
        path: where in the JSON, such as `Patient.name[0].family`.
        text, next_step: what to tell, by key.
    """

    code = "exchange.fhir"

    def __init__(self, why: str, path: str = "", **values: str | int) -> None:
        self.why, self.path = why, path
        self.text = Text(f"exchange.patient.{why}.text", {"path": path, **values})
        self.next_step = Text(f"exchange.patient.{why}.remedy", {"path": path, **values})
        words = load_words()
        super().__init__(words.tell(self.text), words.tell(self.next_step))


class FoundPatient(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of a patient, ready to be looked at before it is taken.

    Attributes:
        birth_date: a whole ISO date.
        left_out: places in the file that are not taken over.
        allergies: places where the file tells of allergies; a person reads and enters them.
    """

    given_name: str
    family_name: str
    birth_date: str
    phone: str = ""
    left_out: tuple[str, ...] = ()
    allergies: tuple[str, ...] = ()


def read_patient_file(path: Path) -> FoundPatient:
    """The patient of a file, of which no more is read than a patient can be long. Raises FileRefused."""
    try:
        with path.open("rb") as source:
            return read_patient(source.read(MAX_BYTES + 1))
    except OSError as error:
        raise FileRefused("unreadable", reason=error.strerror or str(error)) from error


def read_patient(data: bytes) -> FoundPatient:
    """The patient of a file: a Patient, or a Bundle that holds exactly one.

    Raises:
        FileRefused: with the place and what to do.
    """
    root = _parse(data)
    path, patient, left_out, allergies = _find(root)
    _must_be_understood(patient, path)
    _must_live(patient, path)
    name_path, name = _name(patient, path)
    found = FoundPatient(
        given_name=_given(name, name_path),
        family_name=_line(name.get("family", ""), f"{name_path}.family"),
        birth_date=_birth_date(patient, path),
        phone=_phone(patient, path),
        left_out=(*left_out, *_left_out(patient, path, name, name_path)),
        allergies=allergies,
    )
    if not found.given_name and not found.family_name:
        raise FileRefused("name_parts", name_path)
    if not found.given_name:
        raise FileRefused("given", name_path)
    return found


# the file


def _parse(data: bytes) -> Json:
    """Strict JSON: no name twice, no NaN, one object."""
    if len(data) > MAX_BYTES:
        raise FileRefused("too_large", megabytes=MAX_BYTES >> 20)
    try:
        text = data.decode("utf-8-sig")
        root: object = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise FileRefused("not_utf8") from None
    except json.JSONDecodeError as error:
        raise FileRefused("not_json", line=error.lineno, column=error.colno) from None
    except (RecursionError, ValueError):  # ValueError: a number of thousands of digits
        raise FileRefused("not_json", line=1, column=1) from None
    if not isinstance(root, dict):
        raise FileRefused("not_fhir")
    return root


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for index, (key, _) in enumerate(pairs) if any(key == other for other, _ in pairs[:index]))
        raise FileRefused("twice", name=_shown(twice))
    return found


def _no_constant(constant: str) -> NoReturn:
    raise FileRefused("constant", name=constant)


def _find(root: Json) -> tuple[str, Json, tuple[str, ...], tuple[str, ...]]:
    """The patient and where it stands, what stands beside it, and where allergies are told of."""
    kind = root.get("resourceType")
    if kind == "Patient":
        return "Patient", root, (), ()
    if kind != "Bundle":
        raise FileRefused("not_patient", kind=_shown(kind if isinstance(kind, str) else "?"))
    found: list[tuple[str, Json]] = []
    beside: list[str] = []
    allergies: list[str] = []
    for index, entry in enumerate(_list(root, "entry", "Bundle")):
        place = f"Bundle.entry[{index}].resource"
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            beside.append(place)
        elif resource.get("resourceType") == "Patient":
            found.append((place, resource))
        elif resource.get("resourceType") == "AllergyIntolerance":
            allergies.append(place)
        else:
            beside.append(f"{place} ({_shown(resource.get('resourceType', '?'))})")
    if len(found) != 1:
        raise FileRefused("one_patient", "Bundle.entry", count=len(found))
    return *found[0], tuple(beside), tuple(allergies)


def _must_be_understood(patient: Json, path: str) -> None:
    """FHIR forbids to overlook what changes the meaning of everything else."""
    for element in ("modifierExtension", "implicitRules"):
        if element in patient:
            raise FileRefused("modified", f"{path}.{element}")


def _must_live(patient: Json, path: str) -> None:
    if patient.get("active") is False:
        raise FileRefused("inactive", f"{path}.active")
    for element in ("deceasedBoolean", "deceasedDateTime"):
        if patient.get(element) not in (None, False):
            raise FileRefused("deceased", f"{path}.{element}")


# the patient


def _name(patient: Json, path: str) -> tuple[str, Json]:
    """The official name, else the usual one, else one without a use; never an old or a passing one."""
    names = _objects(patient, "name", path)
    if not names:
        raise FileRefused("no_name", f"{path}.name")
    for use in NAME_USES:
        for place, name in names:
            if name.get("use") == use and not _ended(name, place):
                return place, name
    raise FileRefused("no_present_name", f"{path}.name")


def _ended(element: Json, path: str) -> bool:
    """Whether its period is over: nobody asks what day it is here, so any end counts."""
    period = element.get("period")
    if period is not None and not isinstance(period, dict):
        raise FileRefused("wrong_type", f"{path}.period")
    return period is not None and "end" in period


def _given(name: Json, path: str) -> str:
    parts = [_line(part, f"{path}.given[{index}]") for index, part in enumerate(_list(name, "given", path))]
    whole = " ".join(part for part in parts if part)
    if len(whole) > LONGEST:
        raise FileRefused("too_long", f"{path}.given", most=LONGEST)
    return whole


def _birth_date(patient: Json, path: str) -> str:
    place = f"{path}.birthDate"
    value = patient.get("birthDate")
    if value is None:
        raise FileRefused("no_date", place)
    if not isinstance(value, str):
        raise FileRefused("wrong_type", place)
    if _PARTIAL.fullmatch(value):
        raise FileRefused("partial_date", place, value=value)
    try:
        born = date.fromisoformat(value)
    except ValueError:
        raise FileRefused("bad_date", place, value=_shown(value)) from None
    if born.isoformat() != value:
        raise FileRefused("bad_date", place, value=_shown(value))
    return value


def _phone(patient: Json, path: str) -> str:
    """The first telephone number in use: of a mobile if there is one."""
    numbers = [
        (place, contact)
        for place, contact in _objects(patient, "telecom", path)
        if contact.get("system") == "phone" and not _ended(contact, place)
    ]
    for use in PHONE_USES:
        for place, contact in numbers:
            if contact.get("use") == use and "value" in contact:
                return _line(contact["value"], f"{place}.value")
    return ""


def _left_out(patient: Json, path: str, name: Json, name_path: str) -> Iterator[str]:
    """Places that are not taken over, extensions by their URL."""
    for element, value in patient.items():
        if element == "extension" and isinstance(value, list):
            for index, extension in enumerate(value):
                url = extension.get("url") if isinstance(extension, dict) else None
                yield f"{path}.extension[{index}] ({_shown(url if isinstance(url, str) else '?')})"
        elif element not in TAKEN | QUIET:
            yield f"{path}.{_shown(element)}"
    yield from (f"{name_path}.{_shown(element)}" for element in name if element in ("prefix", "suffix", "extension"))
    names = patient.get("name")
    if isinstance(names, list) and len(names) > 1:
        yield from (f"{path}.name[{index}]" for index in range(len(names)) if f"{path}.name[{index}]" != name_path)


# elements


def _list(parent: Json, element: str, path: str) -> list[object]:
    value = parent.get(element, [])
    if not isinstance(value, list):
        raise FileRefused("wrong_type", f"{path}.{element}")
    return value


def _objects(parent: Json, element: str, path: str) -> list[tuple[str, Json]]:
    found: list[tuple[str, Json]] = []
    for index, value in enumerate(_list(parent, element, path)):
        place = f"{path}.{element}[{index}]"
        if not isinstance(value, dict):
            raise FileRefused("wrong_type", place)
        found.append((place, value))
    return found


def _line(value: object, path: str) -> str:
    """One line of text, spaces trimmed."""
    if value is None:  # null stands for a part that only its extension tells of
        return ""
    if not isinstance(value, str):
        raise FileRefused("wrong_type", path)
    if len(value) > LONGEST:
        raise FileRefused("too_long", path, most=LONGEST)
    if any(not character.isprintable() and not character.isspace() for character in value):
        raise FileRefused("unprintable", path)
    return " ".join(value.split())


def _shown(value: object) -> str:
    """What a file says, short and printable, for a sentence."""
    text = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(value)[:60])
    return text.lstrip("@").replace("{", "(").replace("}", ")")
