"""The style sheet, made from the tokens. Roles are Qt properties: `card`, `role`, `text`."""

from widgets.tokens import Tokens


def style_sheet(t: Tokens) -> str:
    """QSS for one scheme."""
    return f"""
    QWidget {{ color: {t.ink}; }}
    QMainWindow, QDialog {{ background: {t.bg}; }}
    QFrame[card="true"] {{ background: {t.surface}; border: 1px solid {t.line}; border-radius: 12px; }}
    QLabel[text="muted"] {{ color: {t.muted}; }}
    QLabel[text="patient"] {{ color: {t.patient}; }}
    """
