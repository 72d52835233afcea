"""Who steals the simulated practice's keys: they lie in a folder whose passphrase everybody knows."""

import contextlib
import logging
import os
from pathlib import Path

import msgspec

from core.keys.authority import Authority
from core.model.clock import SystemClock
from core.model.errors import SmilescapeError
from core.people.demo import load_demo
from core.record.keys import KeyStore
from core.record.practice import FILE_NAME, PracticeFile
from devices.simulator.scenarios.stolen import StolenKeys

log = logging.getLogger(__name__)


def steal(data: Path, passphrase: str, to: Path) -> None:
    """Write the workstation's key and its demo clinician's into `to`, readable by this user only.

    Where there are none yet, nothing is written, and the log says why.
    """
    path = data / FILE_NAME
    try:
        key = KeyStore(prefer="file").load(path, lambda: passphrase)
        with contextlib.closing(PracticeFile.open(path, key, clock=SystemClock())) as practice:
            stolen = _stolen(practice)
    except (SmilescapeError, OSError) as error:
        log.warning("no keys could be stolen: %s", error)
        return
    draft = to.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(stolen))
    draft.replace(to)


def _stolen(practice: PracticeFile) -> StolenKeys:
    """Raises KeysError."""
    authority = Authority(practice.keys, SystemClock(), simulated=True)
    operator = load_demo().operator
    workstation = authority.register.workstation
    clinician = authority.register.clinician(operator.id)
    unlocked = authority.unlock(operator, "")
    try:
        return StolenKeys(
            workstation=workstation.certificate.raw,
            agreement=workstation.agreement_private,
            clinician=clinician.raw if clinician is not None else b"",
            signing=bytes(unlocked.clinician.seed) if clinician is not None else b"",
        )
    finally:
        unlocked.close()
