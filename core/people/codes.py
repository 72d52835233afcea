"""Short codes for patients and visits: random, easy to read aloud, with a check character.

A code says nothing about the person. Its alphabet leaves out what is mistaken for something else (0 O, 1 I L, U V), and
its last character catches any single wrong character and any two neighbours swapped.
"""

import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTWXYZ"
"""29 characters. A prime: every weight has an inverse, which is what makes the check character sound."""
PATIENT_LENGTH, VISIT_LENGTH = 6, 5


def patient_code() -> str:
    """Such as `P-7KQ2-MXC`: six random characters (594 million codes) and the check character."""
    body = _random(PATIENT_LENGTH)
    return f"P-{body[:4]}-{body[4:]}{check_character(body)}"


def visit_code() -> str:
    """Such as `V-7KQ2MC`: five random characters and the check character."""
    body = _random(VISIT_LENGTH)
    return f"V-{body}{check_character(body)}"


def valid_code(code: str) -> bool:
    """Whether a code as typed (any case, with or without hyphens) has the right letters and check character."""
    kind, _, rest = code.strip().upper().partition("-")
    body = rest.replace("-", "")
    length = {"P": PATIENT_LENGTH, "V": VISIT_LENGTH}.get(kind)
    if length is None or len(body) != length + 1 or any(letter not in ALPHABET for letter in body):
        return False
    return check_character(body[:-1]) == body[-1]


def check_character(body: str) -> str:
    """The character that makes the weighted sum (last character 1, then 2, 3, …) divisible by 29."""
    total = sum(weight * ALPHABET.index(letter) for weight, letter in enumerate(reversed(body), 2))
    return ALPHABET[-total % len(ALPHABET)]


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
