"""What belongs to no chair stands in the record of one: a line for people, an entry of the audit log, in one commit."""

from collections.abc import Mapping

from app.engine.recorder import Recorder
from core.model.words import Text
from core.record import Record


def write_down(
    recorder: Recorder, kind: str, text: Text, *, actor: str, at_us: int, body: Mapping[str, object]
) -> None:
    """Kept by the recorder until it is durable.

    Args:
        kind: of the audit entry, such as `keys.revoked`; the line's kind is its first word.
    """

    def write(record: Record) -> None:
        record.add_event(kind.partition(".")[0], text, at_us=at_us, visit_id=None, author=actor)
        record.audit(kind, actor=actor, at_us=at_us, body=body)

    recorder.note(write)
