CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);

CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");

CREATE TABLE operator (
            id TEXT NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, demo INTEGER NOT NULL,
            active INTEGER NOT NULL, pin_hash TEXT NOT NULL, at_us INTEGER NOT NULL, PRIMARY KEY (id, version)
        ) STRICT;

CREATE TABLE device (
            id INTEGER PRIMARY KEY, chair INTEGER NOT NULL, kind TEXT NOT NULL, address TEXT NOT NULL,
            name TEXT NOT NULL, serial TEXT NOT NULL, bound_us INTEGER NOT NULL, forgotten_us INTEGER
        ) STRICT;

CREATE UNIQUE INDEX device_once ON device (address) WHERE forgotten_us IS NULL;

CREATE TABLE setting (
            id INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT NOT NULL, at_us INTEGER NOT NULL
        ) STRICT;

CREATE INDEX setting_by_key ON setting (key, id);

CREATE TABLE login (
            id INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, operator TEXT NOT NULL, outcome TEXT NOT NULL
        ) STRICT;

CREATE TABLE certificate (
            id INTEGER PRIMARY KEY, kid BLOB NOT NULL, issuer BLOB NOT NULL, role INTEGER NOT NULL,
            subject TEXT NOT NULL, holder TEXT NOT NULL, raw BLOB NOT NULL, author TEXT NOT NULL,
            at_us INTEGER NOT NULL
        ) STRICT;

CREATE INDEX certificate_by_holder ON certificate (role, holder, id);

CREATE TABLE secret (
            id INTEGER PRIMARY KEY, kind TEXT NOT NULL, holder TEXT NOT NULL, kid BLOB NOT NULL, data BLOB NOT NULL,
            author TEXT NOT NULL, at_us INTEGER NOT NULL
        ) STRICT;

CREATE INDEX secret_by_holder ON secret (kind, holder, id);

CREATE TABLE revocation_list (
            id INTEGER PRIMARY KEY, issuer BLOB NOT NULL, number INTEGER NOT NULL, raw BLOB NOT NULL,
            at_us INTEGER NOT NULL, UNIQUE (issuer, number)
        ) STRICT;

CREATE TABLE revoked (
            id INTEGER PRIMARY KEY, kid BLOB NOT NULL, number INTEGER NOT NULL, counts INTEGER NOT NULL,
            reason TEXT NOT NULL, author TEXT NOT NULL, at_us INTEGER NOT NULL
        ) STRICT;

CREATE TABLE hub (
            id INTEGER PRIMARY KEY, serial TEXT NOT NULL, irk BLOB, certificate BLOB NOT NULL,
            security_version INTEGER NOT NULL, journal_number INTEGER, journal_hash BLOB, next_event INTEGER NOT NULL,
            last_day INTEGER, revocations INTEGER NOT NULL, at_us INTEGER NOT NULL
        ) STRICT;

CREATE INDEX hub_by_serial ON hub (serial, id);

CREATE TABLE maker (
            id INTEGER PRIMARY KEY, kid BLOB NOT NULL, role INTEGER NOT NULL, subject TEXT NOT NULL,
            raw BLOB NOT NULL, trusted INTEGER NOT NULL, reason TEXT NOT NULL, author TEXT NOT NULL,
            at_us INTEGER NOT NULL
        ) STRICT;

INSERT INTO "_sqlite_migrations" (id, migration_set, name, applied_at) VALUES (1, 'practice', 'm001_foundation', '2026-11-25 22:49:09.189783+00:00');

INSERT INTO "_sqlite_migrations" (id, migration_set, name, applied_at) VALUES (2, 'practice', 'm002_keys', '2026-11-25 22:49:09.190448+00:00');

INSERT INTO "operator" (id, version, name, role, demo, active, pin_hash, at_us) VALUES ('ada', 1, 'Ada', 'dentist', 0, 1, '$argon2id$none', 1800000000000000);

INSERT INTO "operator" (id, version, name, role, demo, active, pin_hash, at_us) VALUES ('bo', 1, 'Bo', 'dentist', 0, 1, '$argon2id$none', 1800000000000000);

INSERT INTO "device" (id, chair, kind, address, name, serial, bound_us, forgotten_us) VALUES (1, 1, 'hub', 'F0:01', 'Hub', 'SH-0001', 1800000000000000, NULL);

INSERT INTO "setting" (id, key, value, at_us) VALUES (1, 'practice.name', '"Elm Street"', 1800000000000000);

INSERT INTO "login" (id, at_us, operator, outcome) VALUES (1, 1800000000000000, 'ada', 'in');

CREATE TRIGGER operator_no_update BEFORE UPDATE ON operator BEGIN SELECT RAISE(ABORT, 'operator is append-only'); END;

CREATE TRIGGER operator_no_delete BEFORE DELETE ON operator BEGIN SELECT RAISE(ABORT, 'operator is append-only'); END;

CREATE TRIGGER setting_no_update BEFORE UPDATE ON setting BEGIN SELECT RAISE(ABORT, 'setting is append-only'); END;

CREATE TRIGGER setting_no_delete BEFORE DELETE ON setting BEGIN SELECT RAISE(ABORT, 'setting is append-only'); END;

CREATE TRIGGER login_no_update BEFORE UPDATE ON login BEGIN SELECT RAISE(ABORT, 'login is append-only'); END;

CREATE TRIGGER login_no_delete BEFORE DELETE ON login BEGIN SELECT RAISE(ABORT, 'login is append-only'); END;

CREATE TRIGGER secret_only_erased BEFORE UPDATE ON secret
            WHEN NEW.data != x'' OR (NEW.id, NEW.kind, NEW.holder, NEW.kid, NEW.author, NEW.at_us)
                IS NOT (OLD.id, OLD.kind, OLD.holder, OLD.kid, OLD.author, OLD.at_us)
            BEGIN SELECT RAISE(ABORT, 'a secret is kept or erased'); END;

CREATE TRIGGER secret_no_delete BEFORE DELETE ON secret
            BEGIN SELECT RAISE(ABORT, 'a secret is kept or erased'); END;

CREATE TRIGGER certificate_no_update BEFORE UPDATE ON certificate BEGIN SELECT RAISE(ABORT, 'certificate is append-only'); END;

CREATE TRIGGER certificate_no_delete BEFORE DELETE ON certificate BEGIN SELECT RAISE(ABORT, 'certificate is append-only'); END;

CREATE TRIGGER revocation_list_no_update BEFORE UPDATE ON revocation_list BEGIN SELECT RAISE(ABORT, 'revocation_list is append-only'); END;

CREATE TRIGGER revocation_list_no_delete BEFORE DELETE ON revocation_list BEGIN SELECT RAISE(ABORT, 'revocation_list is append-only'); END;

CREATE TRIGGER revoked_no_update BEFORE UPDATE ON revoked BEGIN SELECT RAISE(ABORT, 'revoked is append-only'); END;

CREATE TRIGGER revoked_no_delete BEFORE DELETE ON revoked BEGIN SELECT RAISE(ABORT, 'revoked is append-only'); END;

CREATE TRIGGER hub_no_update BEFORE UPDATE ON hub BEGIN SELECT RAISE(ABORT, 'hub is append-only'); END;

CREATE TRIGGER hub_no_delete BEFORE DELETE ON hub BEGIN SELECT RAISE(ABORT, 'hub is append-only'); END;

CREATE TRIGGER maker_no_update BEFORE UPDATE ON maker BEGIN SELECT RAISE(ABORT, 'maker is append-only'); END;

CREATE TRIGGER maker_no_delete BEFORE DELETE ON maker BEGIN SELECT RAISE(ABORT, 'maker is append-only'); END;

