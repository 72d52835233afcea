"""What consoles ask about files for other programs. Served by the reader process."""

from app.ipc.message import Message


class ExportFhir(Message, frozen=True, kw_only=True):
    """Write a visit as a FHIR R4 bundle. Answered by `Done`.

    Attributes:
        every_visit: all visits of the patient, over all chairs, not only this one.
        every_sample: fast signals whole, not as lowest, mean and highest of each second.
    """

    chair: int
    visit_id: str
    path: str
    every_visit: bool = False
    every_sample: bool = False
