"""What makes the audit log provable: its tree, checkpoints, cosignatures, and what is witnessed for others.

Once released, none of it changes.
"""

from core.model.merkle import CompactRange
from core.record.sqlcipher import Database

TABLES = (
    # Rows only ever follow the last one, so that a commit dirties one page.
    "CREATE TABLE audit_tree (id INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT",
    """CREATE TABLE checkpoint (
        id INTEGER PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL, signer BLOB NOT NULL,
        issuer BLOB NOT NULL, reason TEXT NOT NULL, at_us INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE cosignature (
        id INTEGER PRIMARY KEY, checkpoint INTEGER NOT NULL REFERENCES checkpoint(id), kind TEXT NOT NULL,
        witness TEXT NOT NULL, line TEXT NOT NULL, voucher BLOB NOT NULL, at_us INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX cosignature_by_checkpoint ON cosignature (checkpoint)",
    """CREATE TABLE contradiction (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, witness TEXT NOT NULL, size INTEGER NOT NULL, note TEXT NOT NULL,
        at_us INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE witnessed (
        id INTEGER PRIMARY KEY, origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL,
        at_us INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX witnessed_by_origin ON witnessed (origin, id)",
    "CREATE TABLE witness_key (id INTEGER PRIMARY KEY CHECK (id = 1), seed BLOB NOT NULL) STRICT",
)
APPEND_ONLY = ("audit_tree", "checkpoint", "cosignature", "contradiction", "witnessed", "witness_key")


def create(database: Database) -> None:
    """Make the tables, and the tree over the entries that there are."""
    for statement in TABLES:
        database.execute(statement)
    tree, number = CompactRange(), 0
    for (leaf,) in database.execute("SELECT leaf FROM audit ORDER BY sequence").fetchall():
        for node in tree.append(bytes(leaf)):
            database.execute("INSERT INTO audit_tree (id, hash) VALUES (?, ?)", (number, node))
            number += 1
