"""Patients, operators, visits: versions, never overwritten."""

from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What each may do stands in `resources/permissions.toml`."""

    DENTIST = "dentist"
    ASSISTANT = "assistant"
    ENGINEER = "engineer"
    """Looks after devices and links; sees no patient."""
    AUDITOR = "auditor"
    """Reads log and evidence; sees codes in place of patients."""
    COMPANION = "companion"
    """Somebody whom one patient let see their own data."""


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may use the workstation.

    Attributes:
        demo: the marked operator of the simulated clinic, who needs no PIN.
        active: False once the account was closed; the id stays, so that old entries keep their author.
    """

    id: str
    name: str
    role: Role
    demo: bool = False
    active: bool = True


class Patient(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a patient's identity.

    Attributes:
        id: global, the same in every chair's file.
        version: 1 for the first.
        code: short code for lists and file names, never derived from the name.
        birth_date: ISO date.
        allergies, notes: free text, may be empty.
    """

    id: str
    version: int
    code: str
    given_name: str
    family_name: str
    birth_date: str
    allergies: str = ""
    notes: str = ""
    phone: str = ""
    simulated: bool = False

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def initials(self) -> str:
        return "".join(part[0] for part in (self.given_name, self.family_name) if part)


class ToothState(msgspec.Struct, frozen=True, kw_only=True):
    """What the odontogram shows of one tooth.

    Attributes:
        fdi: ISO 3950 number, 11–48.
        missing: not there.
        filled, finding, planned, done: surfaces out of "MDBLO" (mesial, distal, buccal, lingual, occlusal).
        icdas: 0–6, None when not assessed.
    """

    fdi: int
    missing: bool = False
    filled: str = ""
    finding: str = ""
    planned: str = ""
    done: str = ""
    icdas: int | None = None
    note: str = ""


class VisitSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One visit on the patient's time line.

    Attributes:
        began_us, ended_us: UTC µs; None while it is open.
        state: `open`, `complete` or `ended early`.
        title_key: words key of what the visit was about.
    """

    id: str
    patient_id: str
    code: str
    chair: int
    began_us: int
    ended_us: int | None
    state: str
    title_key: str
    teeth: tuple[int, ...] = ()
    mdas: int | None = None
    simulated: bool = False
