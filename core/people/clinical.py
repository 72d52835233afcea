"""Whether an entry makes sense: the rules that forms, engine and importers share."""

import msgspec

from core.model.clinical import (
    ICDAS,
    MAX_SHORT,
    MAX_TEXT,
    SURFACES,
    TEETH,
    AdverseEvent,
    Attachment,
    Condition,
    Entry,
    Finding,
    Material,
    Note,
    Observation,
    StepDone,
    Written,
)
from core.model.errors import SmilescapeError

FILLED = (Condition.RESTORATION, Condition.SEALANT)
WHOLE = (Condition.MISSING, Condition.SOUND)


class EntryRefused(SmilescapeError):  # noqa: N818 - named for what is the case
    """An entry that says nothing, or what cannot be."""

    code = "clinical.entry"


def settled(entry: Entry) -> Entry:
    """The entry as it is to be stored: trimmed, surfaces in their order.

    Raises:
        EntryRefused: it says nothing, or something that cannot be.
    """
    entry = msgspec.structs.replace(entry, text=entry.text.strip())
    if len(entry.text) > MAX_TEXT:
        raise EntryRefused(f"The text has {len(entry.text)} characters.", f"Keep it under {MAX_TEXT}.")
    match entry:
        case Finding():
            return _finding(entry)
        case Observation():
            return _observation(entry)
        case AdverseEvent():
            _says_something(entry)
            _short(entry.reported_to, "To whom it was reported")
        case StepDone():
            _tooth(entry.fdi, whole_mouth=True)
            if not entry.module:
                _says_something(entry)
        case Attachment():
            return _attachment(entry)
        case Note():
            _says_something(entry)
    return entry


def _finding(entry: Finding) -> Finding:
    _tooth(entry.fdi)
    if set(entry.surfaces) - set(SURFACES):
        raise EntryRefused(f"“{entry.surfaces}” has a surface that no tooth has.", f"Choose out of {SURFACES}.")
    surfaces = "".join(surface for surface in SURFACES if surface in entry.surfaces)
    if surfaces and entry.condition in WHOLE:
        raise EntryRefused("A tooth that is missing or sound has no surface to note.", "Leave the surfaces out.")
    if not surfaces and entry.condition is Condition.CARIES:
        raise EntryRefused("Caries is on a surface.", "Choose the surfaces.")
    if entry.icdas is not None and (entry.condition is not Condition.CARIES or entry.icdas not in ICDAS):
        raise EntryRefused("An ICDAS code goes with caries and is 0 to 6.", "Choose another, or leave it out.")
    material = entry.material
    if entry.condition in FILLED:
        material = material or Material.UNKNOWN
    elif material is not None:
        raise EntryRefused("Only a restoration or a sealant has a material.", "Leave the material out.")
    return msgspec.structs.replace(entry, surfaces=surfaces, material=material)


def _observation(entry: Observation) -> Observation:
    _tooth(entry.fdi, whole_mouth=True)
    _short(entry.unit, "The unit")
    if entry.value is None:
        _says_something(entry)
    elif entry.value != entry.value or abs(entry.value) == float("inf"):
        raise EntryRefused("The value is no number.", "Type a number, or leave it out.")
    return msgspec.structs.replace(entry, unit=entry.unit.strip() if entry.value is not None else "")


def _attachment(entry: Attachment) -> Attachment:
    # A name is a label here, never a path: what it is exported as is made anew.
    name = "".join(letter for letter in entry.name.replace("\\", "/").rsplit("/", 1)[-1] if letter.isprintable())
    if not name.strip():
        raise EntryRefused("The file has no name.", "Give it one.")
    return msgspec.structs.replace(entry, name=name.strip()[:MAX_SHORT])


def _says_something(entry: Written) -> None:
    if not entry.text:
        raise EntryRefused("Nothing was written.", "Say what it is about.")


def _short(text: str, what: str) -> None:
    if len(text) > MAX_SHORT:
        raise EntryRefused(f"{what} is too long.", f"Keep it under {MAX_SHORT} characters.")


def _tooth(fdi: int, *, whole_mouth: bool = False) -> None:
    if fdi not in TEETH and not (whole_mouth and fdi == 0):
        raise EntryRefused(f"There is no tooth {fdi}.", "Choose an FDI number: 11 to 48, or 51 to 85.")
