"""What a page of the console is."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.console.store import Store
from core.model.words import Words


class Page(QWidget):
    """One entry of the rail. Built when first opened; told when it comes to the front and when it leaves.

    Signals:
        report_wanted: id of a patient, id of the visit; the page of patients makes and shows it.
    """

    key = ""
    report_wanted = Signal(str, str)

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__()
        self.store = store
        self.words = words

    def activated(self) -> None:
        """The page is in front now."""

    def make_report(self, patient_id: str, visit_id: str) -> None:
        """Make the report of a visit and show it, where the page can."""

    def open_erasure(self, patient_id: str) -> None:
        """Show what erasing a patient would take, where the page can."""

    def deactivated(self) -> None:
        """The page is hidden now; it should cost nothing."""


class EmptyPage(Page):
    """A page that only says why there is nothing here."""

    def __init__(self, store: Store, words: Words, *, title: str, sentence: str) -> None:
        super().__init__(store, words)
        from widgets.controls import Label

        column = QVBoxLayout(self)
        column.setContentsMargins(48, 48, 48, 48)
        column.setSpacing(8)
        column.addWidget(Label(title, size=24, bold=True))
        column.addWidget(Label(sentence, size=18, tone="muted", wrap=True))
        column.addStretch()
