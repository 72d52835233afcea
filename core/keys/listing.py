"""The practice's keys as rows that people read."""

from collections.abc import Mapping, Sequence

from core.keys.issuing import state_of
from core.keys.register import Register
from core.model.certificate import Role, read_unverified
from core.model.keys import KeyKind, KeyRow, KeyState, grouped
from core.model.people import Operator
from core.model.people import Role as Job
from core.record.practice_keys import Issued, Revoked

_KINDS = {Role.CLINICIAN: KeyKind.CLINICIAN, Role.WORKSTATION: KeyKind.WORKSTATION, Role.HUB: KeyKind.HUB}
_US = 1_000_000


def key_rows(
    register: Register, operators: Sequence[Operator], *, operator_id: str = "", chairs: Mapping[str, int] | None = None
) -> list[KeyRow]:
    """Every key of the practice's root, newest certificate each: clinicians, then workstations, then hubs.

    A dentist without a key has a row that says so. Keys of former roots are not among them.

    Args:
        operators: everybody who ever had an account.
        operator_id: who asks; empty for nobody.
        chairs: serial number of a hub → its chair.
    """
    issued = {one.kid: one for one in register.keys.certificates(register.root.kid)}  # the newest of each key
    revoked, names = register.keys.revoked(), {one.id: one.name for one in operators}
    workstation, now_s = register.workstation.certificate.kid, register.now_s()
    rows = []
    for one in issued.values():
        if one.role in _KINDS:
            name = names.get(one.holder, one.subject) if one.role is Role.CLINICIAN else one.holder
            mine = one.kid == workstation or (one.role is Role.CLINICIAN and one.holder == operator_id)
            chair = (chairs or {}).get(one.holder, 0) if one.role is Role.HUB else 0
            rows.append(_row(one, revoked.get(one.kid), name, now_s, mine=mine, chair=chair))
    rows += _without(operators, {row.holder for row in rows if row.state is not KeyState.REVOKED}, operator_id)
    order = list(_KINDS.values())
    return sorted(
        rows, key=lambda row: (order.index(row.kind), row.state is KeyState.REVOKED, row.name, -row.issued_us)
    )


def _row(one: Issued, revoked: Revoked | None, name: str, now_s: int, *, mine: bool, chair: int) -> KeyRow:
    certificate = read_unverified(one.raw)
    return KeyRow(
        kind=_KINDS[one.role],
        name=name,
        holder=one.holder,
        kid=grouped(one.kid),
        issued_us=one.at_us,
        expires_us=certificate.not_after_s * _US,
        state=state_of(certificate, now_s, revoked=revoked is not None),
        reason=revoked.reason if revoked is not None else "",
        revoked_by=revoked.author if revoked is not None else "",
        chair=chair,
        mine=mine and revoked is None,
    )


def _without(operators: Sequence[Operator], holders: set[str], operator_id: str) -> list[KeyRow]:
    """Dentists who cannot sign."""
    return [
        KeyRow(
            kind=KeyKind.CLINICIAN,
            name=one.name,
            holder=one.id,
            kid="",
            issued_us=0,
            expires_us=0,
            state=KeyState.NONE,
            mine=one.id == operator_id,
        )
        for one in operators
        if one.active and one.role is Job.DENTIST and one.id not in holders
    ]
