"""A patient's name where a patient may see the screen: initials and a code until it is touched, and soon again."""

from PySide6.QtCore import Qt, Signal

from app.console.discreet import listed
from app.console.store import Store
from core.model.people import Patient
from core.model.words import Words
from widgets.controls import Label
from widgets.reveal import Reveal


class NameLabel(Label):
    """Follows the setting of the workstation. A press, a pointer at rest or the keyboard's focus shows the name.

    Signals:
        changed: the name is shown, or hidden again.
    """

    changed = Signal()

    def __init__(self, store: Store, words: Words, *, size: int, elide: bool = False) -> None:
        super().__init__(size=size, bold=True, elide=elide)
        self._store, self._words = store, words
        self._patient: Patient | None = None
        self._code = ""
        self._reveal = Reveal(self, discreet=store.discreet, by_press=True)
        self._reveal.changed.connect(self._say)
        store.discreet_changed.connect(lambda: self._reveal.set_discreet(store.discreet))

    @property
    def shown(self) -> bool:
        """Whether the name stands there in full, and what goes with it may."""
        return self._reveal.shown

    def show_patient(self, patient: Patient, code: str = "") -> None:
        """`code`: of a visit; the patient's own is shown without one."""
        if self._patient is None or patient.id != self._patient.id:
            self._reveal.hide()
        self._patient, self._code = patient, code
        self._say()

    def show_text(self, text: str) -> None:
        """Something that is nobody's name."""
        self._patient = None
        self.setText(text)
        self._fit("")

    def _say(self) -> None:
        if self._patient is not None:
            self.setText(listed(self._words, self._patient, self._code, shown=self._reveal.shown))
            self._fit("" if self._reveal.shown else self._words.say("clinical.search.reveal"))
        self.changed.emit()

    def _fit(self, tip: str) -> None:
        self.setAccessibleName(self.text())
        self.setToolTip(tip)
        hides = self._patient is not None and self._store.discreet
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if hides else Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor if hides else Qt.CursorShape.ArrowCursor)
