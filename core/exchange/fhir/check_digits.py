"""The check digits of standard codes: a mistyped code is found before it is sent."""

_D = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
_P = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)
"""Verhoeff's multiplication table of the dihedral group D5, and his permutations."""


def snomed_sound(code: str) -> bool:
    """Whether a SNOMED CT identifier has a fitting check digit (Verhoeff) and names a concept (partition 00 or 10)."""
    if not (code.isascii() and code.isdigit() and 6 <= len(code) <= 18) or code[0] == "0":
        return False
    check = 0
    for place, digit in enumerate(reversed(code)):
        check = int(_D[check][int(_P[place % 8][int(digit)])])
    return check == 0 and code[-3:-1] in ("00", "10")


def loinc_sound(code: str) -> bool:
    """Whether a LOINC code's check digit fits (mod 10, as LOINC's users' guide has it in its appendix)."""
    number, hyphen, check = code.partition("-")
    if not hyphen or not (number + check).isascii() or not number.isdigit() or len(check) != 1 or not check.isdigit():
        return False
    odd, even = number[::-2], number[-2::-2]  # places counted from the right
    total = sum(int(digit) for digit in str(int(odd) * 2) + even)
    return (10 - total % 10) % 10 == int(check)
