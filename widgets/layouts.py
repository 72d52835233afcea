"""What many screens do with a layout."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QScrollArea, QVBoxLayout, QWidget

from widgets.controls import Label


def empty(layout: QLayout) -> None:
    """Take everything out; widgets are hidden at once and end later, since one of them may be the one that asked."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()


def named(text: str, field: QWidget) -> QWidget:
    """A field below its name, which is also read aloud."""
    label = Label(text, size=13, bold=True)
    label.setBuddy(field)
    field.setAccessibleName(text)
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(4)
    column.addWidget(label)
    column.addWidget(field)
    return holder


def scrolled(column: QVBoxLayout) -> QScrollArea:
    """Rows that scroll up and down; the rows get the focus, not what holds them."""
    inner = QWidget()
    inner.setLayout(column)
    scroll = QScrollArea()
    scroll.setWidget(inner)
    scroll.setWidgetResizable(True)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return scroll
