"""What consoles ask about clinical entries: add, correct, attach, search."""

from app.ipc.message import Message
from core.model.clinical import Attachment, Entry, EntryVersion
from core.model.search import Found

SUPERSEDED = "reader.superseded"
"""Code of the refusal of a search whose place a newer one took: nobody needs to read it."""

# requests to the engine


class AddEntry(Message, frozen=True, kw_only=True):
    """A new entry; the engine gives it its id and, where it has none, the present moment. Answered by `EntrySaved`.

    `chair` 0: where the patient sits, or was last.
    """

    entry: Entry
    chair: int = 0


class AddAttachment(Message, frozen=True, kw_only=True):
    """A file. Kind, size and hash are found in its bytes. Answered by `EntrySaved`."""

    entry: Attachment
    data: bytes
    chair: int = 0


class CorrectEntry(Message, frozen=True, kw_only=True):
    """The next version of an entry. Answered by `EntrySaved`.

    Attributes:
        chair, version: of the version that the person was looking at.
        reason: why; an empty one is refused.
    """

    chair: int
    version: int
    entry: Entry
    reason: str


# requests to the reader


class SearchRecords(Message, frozen=True, kw_only=True):
    """Over all chair files; without a query, who was here last. Answered by `SearchHits`.

    A newer search breaks off an older one, which is refused with `reader.superseded`. What is opened is logged as a
    view, what is merely listed is not.
    """

    query: str = ""


class ReadAttachment(Message, frozen=True, kw_only=True):
    """The bytes of a file, to be shown. Answered by `AttachmentData`. The view is logged."""

    chair: int
    attachment_id: str


class SaveAttachment(Message, frozen=True, kw_only=True):
    """Write a copy of a file into a folder, under a name made here. Answered by `Done.detail`, its path. Logged."""

    chair: int
    attachment_id: str
    folder: str


# replies


class EntrySaved(Message, frozen=True, kw_only=True):
    """The version as it was written; `row.author` is a name."""

    row: EntryVersion


class SearchHits(Message, frozen=True, kw_only=True):
    """The best first."""

    query: str
    hits: tuple[Found, ...]


class AttachmentData(Message, frozen=True, kw_only=True):
    entry: Attachment
    data: bytes


ClinicalRequest = AddEntry | AddAttachment | CorrectEntry
CLINICAL_REQUESTS = ClinicalRequest.__args__
ClinicalRead = SearchRecords | ReadAttachment | SaveAttachment
ClinicalReply = EntrySaved | SearchHits | AttachmentData
