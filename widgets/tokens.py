"""The colours of the house: porcelain, ink and pine. Normal has no colour; colour means action, patient or alarm."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tokens:
    """One scheme. Every value is `#RRGGBB`."""

    dark: bool
    bg: str
    surface: str
    sunken: str
    line: str
    control: str
    ink: str
    muted: str
    action: str
    on_action: str
    patient: str
    on_patient: str
    stop: str
    on_stop: str
    high: str
    on_high: str
    medium: str
    low: str
    on_alarm: str
    """Text on medium and low."""
    traces: tuple[str, ...]


LIGHT = Tokens(
    dark=False,
    bg="#F5F3EE",
    surface="#FFFFFF",
    sunken="#EAE7DF",
    line="#D8D4C9",
    control="#857F73",
    ink="#1E2826",
    muted="#57615E",
    action="#1F6657",
    on_action="#FFFFFF",
    patient="#6B4A8E",
    on_patient="#FFFFFF",
    stop="#C4262E",
    on_stop="#FFFFFF",
    high="#C4262E",
    on_high="#FFFFFF",
    medium="#F7C600",
    low="#35C5E0",
    on_alarm="#1E2826",
    traces=("#1F6657", "#2F5DA8", "#8A5A00", "#9C3F6B", "#566B1E", "#4A5A63", "#7A4B2A"),
)

DARK = Tokens(
    dark=True,
    bg="#141816",
    surface="#1D2320",
    sunken="#0E1110",
    line="#333B37",
    control="#7C8782",
    ink="#ECEAE4",
    muted="#A6ADA8",
    action="#86CDB4",
    on_action="#141816",
    patient="#C6AEEB",
    on_patient="#141816",
    stop="#FF6B61",
    on_stop="#141816",
    high="#FF6B61",
    on_high="#141816",
    medium="#F7C600",
    low="#35C5E0",
    on_alarm="#1E2826",
    traces=("#86CDB4", "#8DB4F2", "#E0B060", "#EE9BBF", "#B5CC74", "#AEBCC4", "#D6A27E"),
)
