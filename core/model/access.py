"""Emergencies, companions and views: who was let see a patient's data, and who looked."""

import msgspec


class Emergency(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may not see patients opened the data of the one in a chair.

    Attributes:
        who, role: of who opened it; `operator_id` theirs.
        code: of the patient.
        reason: as it was typed.
        until_us: when it ends by itself; `ended_us` when it did end.
        seen_by: the dentist who read of it, by name; None while nobody has.
    """

    id: str
    operator_id: str
    who: str
    role: str
    chair: int
    patient_id: str
    code: str
    reason: str
    began_us: int
    until_us: int
    ended_us: int | None = None
    seen_by: str | None = None
    seen_us: int | None = None


class Companion(msgspec.Struct, frozen=True, kw_only=True):
    """What a patient let somebody see, and until when.

    Attributes:
        operator_id: the account.
        code: of the patient.
        live, reports, history: what was agreed.
        how: how the patient agreed, `patient_screen` or `aloud`, with `witness`, an operator's id.
        withdrawn_us: when the patient took it back.
    """

    operator_id: str
    patient_id: str
    code: str
    live: bool
    reports: bool
    history: bool
    until_us: int
    consented_us: int
    how: str
    witness: str
    withdrawn_us: int | None = None


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody looked at a patient's data.

    Attributes:
        who: name, once the engine has put it in place of the id.
        role: at that time; empty where it was not written down yet.
        kind: words key below `view.`, such as `visit` or `report`.
        emergency: it was opened for an emergency.
    """

    at_us: int
    who: str
    role: str
    kind: str
    chair: int
    emergency: bool = False
