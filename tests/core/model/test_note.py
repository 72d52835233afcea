"""Notes as C2SP writes them: against its own published examples, and against everything that is no note."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from core.model.cose import KeySigner
from core.model.note import Checkpoint, NoteRefused, cosign, key_id, read_note, read_signature, sign_checkpoint

EXAMPLE = (
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
"""From the specification of cosignatures; its keys are not told."""
SIGNER, WITNESS = KeySigner(bytes(32)), KeySigner(bytes([1]) * 32)
CHECKPOINT = Checkpoint("smilescape/record/1", 7, hashlib.sha256(b"root").digest())
NOTE = sign_checkpoint(CHECKPOINT, SIGNER)
TIME_S = 1_679_315_147


def test_the_example_of_the_specification_is_read_and_written_alike() -> None:
    note = read_note(EXAMPLE)
    assert (note.checkpoint.origin, note.checkpoint.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert note.checkpoint.text == note.text == EXAMPLE.partition("\n\n")[0] + "\n"
    assert note.encode() == EXAMPLE
    assert int.from_bytes(note.signatures[1].signature[:8], "big") == TIME_S


def test_the_bytes_that_are_signed_are_those_of_the_specification() -> None:
    line = NOTE.encode().splitlines()[-1]
    dash, name, encoded = line.split(" ")
    raw = base64.b64decode(encoded)
    assert (dash, name) == ("—", "smilescape/record/1")
    assert raw[:4] == hashlib.sha256(b"smilescape/record/1\n\x01" + SIGNER.public).digest()[:4]
    Ed25519PublicKey.from_public_bytes(SIGNER.public).verify(raw[4:], NOTE.text.encode())
    cosigned = base64.b64decode(cosign(NOTE, "w/1", WITNESS, TIME_S).line.split(" ")[2])
    assert cosigned[:4] == hashlib.sha256(b"w/1\n\x04" + WITNESS.public).digest()[:4]
    assert cosigned[4:12] == TIME_S.to_bytes(8, "big")
    message = f"cosignature/v1\ntime {TIME_S}\n".encode() + NOTE.text.encode()
    Ed25519PublicKey.from_public_bytes(WITNESS.public).verify(cosigned[12:], message)


def test_a_note_counts_for_the_key_and_the_name_that_signed_it() -> None:
    both = read_note(NOTE.with_signatures([cosign(NOTE, "w/1", WITNESS, TIME_S)]).encode())
    both.verify(CHECKPOINT.origin, SIGNER.public)
    assert both.cosigned("w/1", WITNESS.public) == TIME_S
    for name, public in (("w/1", SIGNER.public), (CHECKPOINT.origin, WITNESS.public), ("w/2", WITNESS.public)):
        with pytest.raises(NoteRefused):
            both.cosigned(name, public)
        with pytest.raises(NoteRefused):
            both.verify(name, public)


def read_whole(raw: bytes) -> None:
    note = read_note(raw)
    note.verify(CHECKPOINT.origin, SIGNER.public)
    note.cosigned("w/1", WITNESS.public)


@given(st.data())
def test_a_note_that_was_altered_anywhere_is_refused(data: st.DataObject) -> None:
    whole = NOTE.with_signatures([cosign(NOTE, "w/1", WITNESS, TIME_S)]).encode().encode()
    raw = bytearray(whole)
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(NoteRefused):
        read_whole(bytes(raw))


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "\n\n",
        NOTE.text,
        NOTE.encode()[:-1],
        NOTE.encode().replace("\n7\n", "\n07\n"),
        NOTE.encode().replace("\n7\n", "\n+7\n"),
        NOTE.encode().replace("\n7\n", "\n٧\n"),
        NOTE.encode().replace("\n7\n", f"\n{1 << 63}\n"),
        NOTE.encode().replace("smilescape/record/1\n", "a b\n"),
        NOTE.encode().replace("=\n\n", "=\nextension\n\n"),
        NOTE.encode().replace("—", "-"),
        NOTE.encode() + "\n",
        NOTE.encode() + "— w/1 AAAA\n",
        NOTE.encode() + "— w/1 " + "A" * 9000 + "\n",
        b"\xff\n\n",
    ],
)
def test_what_is_no_note_is_refused(raw: str | bytes) -> None:
    with pytest.raises(NoteRefused):
        read_note(raw)


def test_key_ids_tell_keys_names_and_kinds_apart() -> None:
    every = {key_id(n, k, t) for n in ("a", "b") for k in (SIGNER.public, WITNESS.public) for t in (1, 4)}
    assert len(every) == 8
    assert read_signature(NOTE.signatures[0].line) == NOTE.signatures[0]
