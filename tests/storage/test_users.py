"""The local users on disk, with a real file, and with two who write it."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest
from msgspec.structs import replace

from domain.access import Family, Revocation, Scope, SessionFault, SessionTerms, User, Why, Withdrawal
from storage import StorageError, Taken, Users, has_users
from storage.users import NAME

AT = 1_800_000_000.0
TERMS = SessionTerms()
KEPT = "$argon2id$kept"
ANNA = User(
    "u1", "Anna", ("operator", "quality"), "anna@example.com", "acme", ("acme/p1/line3",), "press", "early",
    created_at=AT, changed_at=AT, password_at=AT,
)  # fmt: skip
BERT = User("u2", "bert", ())

ADDER = """
import sys
from pathlib import Path
from domain.access import User
from storage import Users
users = Users.open(Path(sys.argv[1]))
users.add(User(sys.argv[2], sys.argv[2], ()), "kept")
users.close()
print(" ".join(user.id for user in Users.open(Path(sys.argv[1])).all()))
"""


@pytest.fixture
def open_(tmp_path):
    made = []

    def opened(directory=tmp_path / "data") -> Users:
        users = Users.open(directory)
        made.append(users)
        return users

    yield opened
    for users in made:
        users._database.abandon()


def family(number: int = 1, user: User = ANNA, at: float = AT) -> Family:
    return Family(f"f{number}", user.id, at, at, host="192.0.2.7", door="floor")


def withdrawn(users: Users) -> dict[str, Why]:
    return {each.row.id: each.why for each in users.withdrawals()}


def test_a_user_is_found_by_name_and_address_in_any_case(open_):
    users = open_()
    users.add(ANNA, KEPT)
    for login in ("Anna", "ANNA", " anna ", "Anna@Example.com"):
        found = users.find(login)
        assert found is not None
        assert (found.user, found.kept) == (ANNA, KEPT)
    assert users.find("bert") is None
    assert users.find("bert@example.com") is None
    assert users.of_id("u1") == users.find("anna")


def test_everything_is_there_after_a_new_opening(open_):
    users = open_()
    users.add(ANNA, KEPT)
    users.begin(family(), TERMS)
    key = users.signing_key()
    users.close()
    again = open_()
    assert again.all() == (ANNA,)
    assert again.families("u1") == (family(),)
    assert again.signing_key() == key


@pytest.mark.parametrize("other", [replace(BERT, name="ANNA"), replace(BERT, email="ANNA@example.com")])
def test_a_name_and_an_address_are_one_user_s(open_, other):
    users = open_()
    users.add(ANNA, KEPT)
    with pytest.raises(Taken):
        users.add(other, KEPT)
    users.add(BERT, KEPT)
    with pytest.raises(Taken):
        users.change(other)
    assert users.all() == (ANNA, BERT)


def test_users_without_an_address_are_many(open_):
    users = open_()
    users.add(BERT, KEPT)
    users.add(replace(BERT, id="u3", name="carl"), KEPT)
    assert len(users.all()) == 2


def test_a_change_keeps_the_password_and_takes_access_tokens_back_where_it_says_so(open_):
    users = open_()
    users.add(ANNA, KEPT)
    users.begin(family(), TERMS)
    users.change(replace(ANNA, department="office", changed_at=AT + 1))
    assert withdrawn(users) == {}
    users.change(replace(ANNA, roles=("viewer",), changed_at=AT + 2), Why.CHANGED)
    (taken_back,) = users.withdrawals()
    assert (taken_back.row.scope, taken_back.row.id, taken_back.row.before) == (Scope.SUBJECT, "u1", AT + 2)
    assert users.families("u1") == (family(),)
    found = users.find("anna")
    assert found is not None
    assert (found.user.roles, found.kept) == (("viewer",), KEPT)


def test_a_locked_user_has_no_logins_any_more(open_):
    users = open_()
    users.add(ANNA, KEPT)
    users.begin(family(), TERMS)
    users.change(replace(ANNA, is_active=False, changed_at=AT + 1), Why.LOCKED)
    assert users.families("u1") == ()
    assert withdrawn(users) == {"u1": Why.LOCKED, "f1": Why.LOCKED}


def test_another_password_ends_all_logins_but_the_one_it_is_said_in(open_):
    users = open_()
    users.add(ANNA, KEPT)
    for number in (1, 2, 3):
        users.begin(family(number), TERMS)
    users.set_password("u1", "new", AT + 5, but="f2")
    assert [each.id for each in users.families("u1")] == ["f2"]
    assert withdrawn(users) == {"f1": Why.PASSWORD, "f3": Why.PASSWORD}
    found = users.find("anna")
    assert found is not None
    assert (found.kept, found.user.password_at) == ("new", AT + 5)


def test_an_upgrade_does_not_undo_a_change_of_the_password(open_):
    users = open_()
    users.add(ANNA, KEPT)
    users.set_password("u1", "new", AT + 5)
    users.upgrade_password("u1", KEPT, "the old one, upgraded")
    found = users.find("anna")
    assert found is not None
    assert found.kept == "new"
    users.upgrade_password("u1", "new", "newer")
    found = users.find("anna")
    assert found is not None
    assert (found.kept, found.user.password_at) == ("newer", AT + 5)


def test_of_a_removed_user_nothing_is_left_but_that_its_tokens_are_not_good(open_):
    users = open_()
    users.add(ANNA, KEPT)
    users.begin(family(), TERMS)
    users.remove("u1", AT + 1)
    assert (users.all(), users.families("u1"), users.find("anna")) == ((), (), None)
    assert withdrawn(users) == {"u1": Why.REMOVED, "f1": Why.REMOVED}


def test_a_login_is_renewed_by_its_newest_token_once(open_):
    users = open_()
    users.add(ANNA, KEPT)
    users.begin(family(), TERMS)
    renewal = users.renew("f1", "f1.1", AT + 60, TERMS)
    assert renewal.user == ANNA
    assert isinstance(renewal.became, Family)
    assert users.families("u1") == (renewal.became,)
    assert users.renew("f1", "f1.1", AT + 61, TERMS).became is SessionFault.REUSED
    assert users.families("u1") == ()
    assert withdrawn(users) == {"f1": Why.REUSED}
    assert users.renew("f1", "f1.2", AT + 62, TERMS).became is SessionFault.UNKNOWN


def test_two_processes_cannot_both_renew_a_login(open_):
    one, other = open_(), open_()
    one.add(ANNA, KEPT)
    one.begin(family(), TERMS)
    assert isinstance(one.renew("f1", "f1.1", AT, TERMS).became, Family)
    assert other.renew("f1", "f1.1", AT, TERMS).became is SessionFault.REUSED
    assert one.families("u1") == ()


@pytest.mark.parametrize("is_removed", [True, False])
def test_who_is_locked_or_removed_renews_nothing(open_, is_removed):
    users = open_()
    users.add(ANNA, KEPT)
    if is_removed:
        users.remove("u1", AT)
    else:
        users.change(replace(ANNA, is_active=False))
    users.begin(family(), TERMS)
    assert users.renew("f1", "f1.1", AT, TERMS).became is SessionFault.UNKNOWN
    assert users.families("u1") == ()


def test_one_login_too_many_ends_the_oldest(open_):
    users, terms = open_(), SessionTerms(per_user=2)
    users.add(ANNA, KEPT)
    for number in (1, 2, 3):
        users.begin(family(number, at=AT + number), terms)
    assert [each.id for each in users.families("u1")] == ["f2", "f3"]
    assert withdrawn(users) == {"f1": Why.CROWDED}


def test_a_login_ends_once(open_):
    users = open_()
    users.begin(family(), TERMS)
    assert users.end("f1", Why.LOGOUT, AT)
    assert not users.end("f1", Why.LOGOUT, AT)
    users.begin(family(2), TERMS)
    users.end_all("u1", Why.EVERYWHERE, AT)
    assert withdrawn(users) == {"f1": Why.LOGOUT, "f2": Why.EVERYWHERE}


def test_what_has_ended_by_itself_is_deleted(open_):
    users = open_()
    users.begin(family(1), TERMS)
    users.begin(family(2, at=AT + TERMS.idle), TERMS)
    users.withdraw(Withdrawal(Revocation(Scope.TOKEN, "t1", until=AT + 10), "u9", Why.LOGOUT, AT))
    users.withdraw(Withdrawal(Revocation(Scope.TOKEN, "t2"), "u9", Why.LOGOUT, AT))
    users.retain(AT + TERMS.idle, TERMS)
    assert [each.id for each in users.families("u1")] == ["f2"]
    assert withdrawn(users) == {"t2": Why.LOGOUT}


def test_one_sees_that_the_other_has_changed_something(open_):
    daemon, command = open_(), open_()
    before = daemon.version()
    assert daemon.version() == before
    daemon.add(BERT, KEPT)
    assert daemon.version() == before
    command.add(ANNA, KEPT)
    assert daemon.version() != before
    assert daemon.find("anna") is not None


def test_the_file_and_what_sqlite_has_beside_it_are_their_owner_s_alone(open_, tmp_path):
    open_().add(ANNA, KEPT)
    files = sorted((tmp_path / "data").iterdir())
    assert NAME in [file.name for file in files]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(open_, tmp_path):
    open_().close()
    (tmp_path / "data" / NAME).chmod(0o644)
    open_()
    assert stat.S_IMODE((tmp_path / "data" / NAME).stat().st_mode) == 0o600


def test_a_deleted_hash_is_overwritten_in_the_file(open_, tmp_path):
    users = open_()
    users.add(replace(ANNA, name="erased"), "hash-to-be-overwritten")
    users.close()
    users = open_()
    users.remove("u1", AT)
    users.close()
    for file in (tmp_path / "data").iterdir():
        assert b"hash-to-be-overwritten" not in file.read_bytes()


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    (tmp_path / NAME).write_bytes(b"not a database" * 100)
    with pytest.raises(StorageError) as refused:
        Users.open(tmp_path)
    assert refused.value.damaged
    assert (tmp_path / NAME).read_bytes() == b"not a database" * 100


def test_a_row_that_was_changed_lets_nobody_in(open_, tmp_path):
    users = open_()
    users.add(ANNA, KEPT)
    with closing(sqlite3.connect(tmp_path / "data" / NAME)) as connection:
        connection.execute("UPDATE users SET roles = 'nonsense'")
        connection.commit()
    with pytest.raises(StorageError) as refused:
        users.find("anna")
    assert refused.value.damaged
    assert KEPT not in str(refused.value)


def test_what_is_found_does_not_show_the_hash(open_):
    users = open_()
    users.add(ANNA, KEPT)
    assert KEPT not in repr(users.find("anna"))


def test_whether_there_is_any_user_is_known_without_making_a_file(open_, tmp_path):
    assert not has_users(None)
    assert not has_users(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    users = open_()
    assert not has_users(tmp_path / "data")
    users.add(ANNA, KEPT)
    assert has_users(tmp_path / "data")


@pytest.mark.parametrize("again", [has_users, lambda directory: Users.open(directory).close()])
def test_whoever_opens_it_twice_and_another_process_lose_nothing_of_each_other(open_, tmp_path, again):
    directory = tmp_path / "data"
    users = open_()
    users.add(ANNA, KEPT)
    log = (directory / f"{NAME}-wal").stat().st_ino
    for number in (1, 2):
        again(directory)
        command = [sys.executable, "-c", ADDER, str(directory), f"other{number}"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "u1" in told.split()
        # SQLite takes the log away with the last who uses the file, which is not them.
        assert (directory / f"{NAME}-wal").stat().st_ino == log
        users.add(replace(BERT, id=f"own{number}", name=f"own{number}"), KEPT)
        ids = {user.id for user in users.all()}
        assert ids == {"u1", *(f"{who}{each}" for who in ("own", "other") for each in range(1, number + 1))}
    users.close()
    with closing(sqlite3.connect(directory / NAME)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (5,)


def test_without_a_directory_users_live_as_long_as_the_process():
    users = Users.open(None)
    users.add(ANNA, KEPT)
    assert users.all() == (ANNA,)
    users.close()
