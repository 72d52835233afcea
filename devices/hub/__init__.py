"""The nanobot hub, the workstation's side. Read in this order:

`driver` is the door, `listener` whom it tells. `profile` says step by step what is done with a connection: `greeting`
makes it a session (`session/` holds all of that which is pure), `incoming` opens what is notified, `line` seals what
is written. `commander` carries commands and receipts, `orders` what clinicians sign, `enrolment` keys and
certificates. `delivery` brings each frame once (`intake`, `batch`, `merge`, `ledger`, `backfill`, `acknowledger`),
`catch_up` what the hub kept between visits. `commands`, `receipts`, `status`, `frames`, `advertising` and `uuids` are
the bytes, for both sides.
"""
