"""The style sheet, made from the tokens, for what is not painted: text, fields, lists, scroll bars.

Roles are Qt properties: `tone` on labels (`muted`, `patient`, `action`).
"""

from widgets.tokens import Tokens


def style_sheet(t: Tokens) -> str:
    """QSS for one scheme."""
    return f"""
    QWidget {{ color: {t.ink}; }}
    QMainWindow, QDialog {{ background: {t.bg}; }}
    QFrame[card="true"] {{ background: {t.surface}; border: 1px solid {t.line}; border-radius: 12px; }}
    QLabel {{ background: transparent; border: none; }}
    QLabel[tone="muted"] {{ color: {t.muted}; }}
    QLabel[tone="patient"] {{ color: {t.patient}; }}
    QLabel[tone="action"] {{ color: {t.action}; }}
    QLineEdit, QComboBox, QPlainTextEdit, QTextEdit, QSpinBox, QDateEdit {{
        background: {t.surface}; border: 1px solid {t.control}; border-radius: 6px; padding: 0 12px; min-height: 46px;
        selection-background-color: {t.action}; selection-color: {t.on_action}; font-size: 15px;
    }}
    QPlainTextEdit, QTextEdit {{ padding: 10px 12px; }}
    QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus {{ border: 2px solid {t.ink}; padding: 0 11px; }}
    QLineEdit:disabled {{ background: {t.sunken}; color: {t.muted}; border-color: {t.line}; }}
    QComboBox::drop-down {{ border: none; width: 28px; }}
    QComboBox QAbstractItemView {{
        background: {t.surface}; border: 1px solid {t.control}; selection-background-color: {t.sunken};
        selection-color: {t.ink}; outline: none;
    }}
    QComboBox QAbstractItemView::item {{ min-height: 48px; padding: 0 12px; }}
    QListWidget {{ background: transparent; border: none; outline: none; font-size: 15px; }}
    QListWidget::item {{ padding: 0 12px; border-top: 1px solid {t.line}; color: {t.ink}; }}
    QListWidget::item:selected {{ background: {t.sunken}; color: {t.ink}; }}
    QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
    QScrollBar:vertical {{ background: transparent; width: 12px; margin: 2px; }}
    QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 2px; }}
    QScrollBar::handle {{ background: {t.control}; border-radius: 4px; min-height: 48px; min-width: 48px; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    QToolTip {{ background: {t.surface}; color: {t.ink}; border: 1px solid {t.control}; padding: 6px; }}
    """
