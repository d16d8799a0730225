"""The keeper of the users, with a real file, real hashes and real tokens; time is what the tests say."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import trio
from argon2 import PasswordHasher, Type
from msgspec.structs import replace

from actors import (
    Accounts,
    ChangePassword,
    Denial,
    Denied,
    Done,
    Known,
    LoggedIn,
    LogIn,
    LogOut,
    Renew,
    Tokens,
    WhoIs,
    Withdrawn,
)
from actors.accounts import keeper, queue
from actors.accounts.notes import noted_in_log
from actors.runtime import ChildSpec, ask
from config import Secret, UserSettings
from domain.access import (
    LOGIN_PACE,
    USER_PATIENCE,
    Identity,
    Proof,
    Revocations,
    Scope,
    TokenRefused,
    User,
    Why,
    Withdrawal,
)
from storage import StorageError, Users, hashed_password, passwords
from telemetry import events
from transport import TokenMint, TokenVerifier, secret_signer

AT = 1_800_000_000.0
PASSWORD = "correct horse battery"  # noqa: S105
JTI = "jti-1"
ANOTHER = "another horse battery"
WRONG = "wrong horse battery"
SECRET = Secret("a secret of at least thirty-two bytes")
HOST, ELSEWHERE = "192.0.2.7", "198.51.100.9"
ANNA = User("u1", "Anna", ("operator",), "anna@example.com", created_at=AT, password_at=AT)
BERT = replace(ANNA, id="u2", name="bert", email="")


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """Hashes that cost little: what they cost is looked at elsewhere."""
    passwords._hasher.cache_clear()
    passwords.hash_of_nobody.cache_clear()
    monkeypatch.setattr(passwords, "PASSES", 1)
    monkeypatch.setattr(passwords, "MEMORY_KIB", 64)
    monkeypatch.setattr(keeper, "LOOK_INTERVAL", 0.01)
    yield
    passwords._hasher.cache_clear()
    passwords.hash_of_nobody.cache_clear()


class Desk:
    """The keeper in its tree, and what it has said to others."""

    def __init__(self, directory) -> None:
        self.directory = directory
        self.now = AT
        self.notes: list[tuple[str, ...]] = []
        self.told: list[Withdrawal] = []
        mint = TokenMint(secret_signer(SECRET))
        revocations = Revocations()
        self.verifier = TokenVerifier(revocations)
        self.verifier.trust_own(mint.trusted)
        self.tokens = Tokens(mint, self.verifier, revocations, Withdrawn())
        self.tokens.withdrawn.follow(self.told.append)
        self.settings = UserSettings()

    def note(self, what, outcome, user, host, door, why="", session="") -> None:  # noqa: ARG002
        self.notes.append((what, outcome, "" if user is None else user.name, host, door, why))

    def spec(self) -> ChildSpec:
        options = {"notes": self.note, "clock": lambda: self.now}
        return ChildSpec("accounts", Accounts, (self.directory, lambda: self.settings, self.tokens), options)

    async def ask(self, message: object) -> object:
        return await ask(self.tree.ref("gateway/accounts"), message, 30)

    async def login(self, login="anna", password=PASSWORD, host=HOST) -> object:
        return await self.ask(LogIn(login, Secret(password), host, "floor"))

    async def enter(self, host=HOST) -> LoggedIn:
        answer = await self.login(host=host)
        assert isinstance(answer, LoggedIn), answer
        return answer

    async def renew(self, refresh: Secret) -> object:
        return await self.ask(Renew(refresh, HOST, "floor"))

    def bearer(self, access: Secret) -> Identity:
        return self.verifier.verify(access.reveal(), self.now)

    def is_good(self, access: Secret) -> bool:
        try:
            self.bearer(access)
        except TokenRefused:
            return False
        return True

    def by_hand(self, act) -> None:
        """What ``andond user`` does meanwhile, in a process of its own."""
        users = Users.open(self.directory)
        act(users)
        users.close()


@pytest.fixture
def open_desk(grow, tmp_path):
    @asynccontextmanager
    async def opened(*users: User):
        desk = Desk(tmp_path)
        for user in users:
            desk.by_hand(lambda file, user=user: file.add(user, hashed_password(PASSWORD)))
        async with grow([desk.spec()]) as tree:
            desk.tree = tree
            yield desk

    return opened


async def until(look) -> None:
    with trio.fail_after(20):
        while not look():  # noqa: ASYNC110 - another process has done it, which is known only by looking
            await trio.sleep(0.01)


def denied(answer: object) -> Denial:
    assert isinstance(answer, Denied), answer
    return answer.why


# -- logging in -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["anna", "ANNA", "Anna@Example.com"])
async def test_who_shows_the_password_gets_tokens_that_say_who_it_is(open_desk, login):
    async with open_desk(
        replace(ANNA, tenant="acme", places=("acme/p1/l3",), department="press", shift="early")
    ) as desk:
        answer = await desk.login(login)
        assert isinstance(answer, LoggedIn)
        assert (answer.expires_in, answer.user.name) == (1800, "Anna")
        bearer = desk.bearer(answer.access)
        assert (bearer.subject, bearer.name, bearer.roles, bearer.proof) == ("u1", "Anna", {"operator"}, Proof.LOCAL)
        assert (bearer.tenant, bearer.places, bearer.department, bearer.shift) == (
            "acme",
            ("acme/p1/l3",),
            "press",
            "early",
        )
        assert (bearer.session, bearer.expires_at) == (answer.session, AT + 1800)
        assert desk.notes == [("login", "succeeded", "Anna", HOST, "floor", "")]


async def test_a_refresh_token_opens_nothing_and_an_access_token_renews_nothing(open_desk):
    async with open_desk(ANNA) as desk:
        answer = await desk.enter()
        assert not desk.is_good(answer.refresh)
        assert denied(await desk.renew(answer.access)) is Denial.ENDED


async def test_whether_there_is_such_a_user_is_not_told(open_desk):
    async with open_desk(ANNA, replace(ANNA, id="u2", name="locked", email="", is_active=False)) as desk:
        answers = [
            await desk.login("anna", WRONG),
            await desk.login("nobody", WRONG),
            await desk.login("locked", WRONG),
            await desk.login("locked", PASSWORD),
            await desk.login("nobody@example.com", PASSWORD),
        ]
        assert set(answers) == {Denied(Denial.CREDENTIALS, keeper.WRONG)}
        assert [note[2] for note in desk.notes] == ["Anna", "", "locked", "locked", ""]


async def test_the_same_work_is_done_for_who_is_not_there(open_desk, monkeypatch):
    done: list[str] = []
    real = queue.password_matches
    monkeypatch.setattr(queue, "password_matches", lambda kept, shown: done.append(kept) or real(kept, shown))
    async with open_desk(ANNA) as desk:
        await desk.login("anna", WRONG)
        await desk.login("nobody", WRONG)
    anna, nobody = (kept.split("$")[1:4] for kept in done)
    assert anna == nobody


@pytest.mark.parametrize("name", ["anna", "nobody"])
async def test_too_many_failures_are_held_off_alike_whoever_it_is(open_desk, name):
    async with open_desk(ANNA) as desk:
        for _ in range(USER_PATIENCE.free):
            assert denied(await desk.login(name, WRONG)) is Denial.CREDENTIALS
        held = await desk.login(name, PASSWORD)
        assert held == Denied(
            Denial.HELD_OFF, "too many attempts: it is looked at again in 1 second at the earliest", 1.0
        )
        desk.now += 1
        assert isinstance(await desk.login("anna"), LoggedIn) is True


async def test_who_is_held_off_gets_in_with_the_right_password_when_the_delay_is_over(open_desk):
    async with open_desk(ANNA) as desk:
        for _ in range(USER_PATIENCE.free):
            await desk.login("anna", WRONG, ELSEWHERE)
        assert denied(await desk.login("anna", PASSWORD, ELSEWHERE)) is Denial.HELD_OFF
        desk.now += 1
        await desk.enter(ELSEWHERE)


@pytest.mark.parametrize("name", ["anna", "ANNA@example.com"])
async def test_whom_the_command_line_lets_in_again_is_not_held_off_for_what_was_guessed(open_desk, name):
    async with open_desk(ANNA) as desk:
        for _ in range(USER_PATIENCE.free):
            await desk.login(name, WRONG, ELSEWHERE)
        assert denied(await desk.login(name)) is Denial.HELD_OFF
        desk.by_hand(lambda users: users.change(replace(ANNA, changed_at=AT + 1)))
        with trio.fail_after(20):
            while not isinstance(answer := await desk.login(name), LoggedIn):
                assert denied(answer) is Denial.HELD_OFF
                await trio.sleep(0.01)


async def test_of_many_who_come_at_once_from_one_address_some_are_told_to_come_again(open_desk):
    async with open_desk(ANNA) as desk:
        answers: list[object] = []

        async def login(number: int) -> None:
            answers.append(await desk.login(f"user{number}", WRONG))

        async with trio.open_nursery() as nursery:
            for number in range(3 * queue.WAITING_OF_ONE):
                nursery.start_soon(login, number)
        reasons = {denied(answer) for answer in answers}
        assert Denial.CREDENTIALS in reasons
        assert reasons <= {Denial.CREDENTIALS, Denial.BUSY, Denial.HELD_OFF}
        # The queue is empty again, and who was turned away is not counted as a failure.
        await desk.enter(ELSEWHERE)


@pytest.fixture
def gate(monkeypatch):
    """No password is hashed while it is shut."""

    class Gate:
        def __init__(self) -> None:
            self.shut = trio.Event()
            self.shut.set()
            self.waiting = 0

    held, real = Gate(), queue.PasswordQueue.hash

    async def hash_(self, work):
        # Everybody begins with this one; who was let in before may still have his password kept anew.
        held.waiting += work is queue.hash_of_nobody
        await held.shut.wait()
        return await real(self, work)

    monkeypatch.setattr(queue.PasswordQueue, "hash", hash_)
    return held


async def test_one_user_who_logs_in_from_everywhere_keeps_nobody_else_out(open_desk, gate):
    async with open_desk(ANNA, BERT) as desk:
        gate.shut = trio.Event()
        answers: list[object] = []

        async def login(name: str, host: str) -> None:
            answers.append((name, await desk.login(name, host=host)))

        async with trio.open_nursery() as nursery:
            for number in range(32):
                nursery.start_soon(login, "anna", f"192.0.2.{number // 8}")
            await until(lambda: len(answers) == 32 - queue.WAITING_OF_NAME)
            assert {denied(answer) for _, answer in answers} == {Denial.BUSY}
            nursery.start_soon(login, "bert", ELSEWHERE)
            await until(lambda: gate.waiting == queue.WAITING_OF_NAME + 1)
            gate.shut.set()
        assert [isinstance(answer, LoggedIn) for name, answer in answers if name == "bert"] == [True]


async def test_strangers_of_many_names_leave_places_to_who_has_logged_in_from_there(open_desk, gate):
    async with open_desk(ANNA, BERT) as desk:
        await desk.enter(HOST)
        gate.shut, gate.waiting = trio.Event(), 0
        answers: dict[str, object] = {}

        async def login(name: str, host: str) -> None:
            answers[name] = await desk.login(name, host=host)

        async with trio.open_nursery() as nursery:
            for number in range(40):
                nursery.start_soon(login, f"nobody{number}", f"203.0.113.{number}")
            strangers = queue.WAITING - queue.KEPT_FOR_FAMILIAR
            await until(lambda: len(answers) == 40 - strangers)
            assert denied(await desk.login("bert", host=HOST)) is Denial.BUSY
            assert denied(await desk.login("anna", host=ELSEWHERE)) is Denial.BUSY
            nursery.start_soon(login, "anna", HOST)
            await until(lambda: gate.waiting == strangers + 1)
            gate.shut.set()
        assert isinstance(answers["anna"], LoggedIn)


async def test_strangers_who_show_a_user_s_name_leave_places_to_the_user(open_desk, gate):
    async with open_desk(ANNA) as desk:
        await desk.enter(HOST)
        gate.shut, gate.waiting = trio.Event(), 0
        async with trio.open_nursery() as nursery:
            for number in range(queue.WAITING_OF_NAME):
                nursery.start_soon(desk.login, "anna", WRONG, f"203.0.113.{number}")
            await until(lambda: gate.waiting == queue.WAITING_OF_NAME)
            assert denied(await desk.login("anna", WRONG, ELSEWHERE)) is Denial.BUSY
            nursery.start_soon(desk.enter, HOST)
            await until(lambda: gate.waiting == queue.WAITING_OF_NAME + 1)
            gate.shut.set()


async def test_who_logs_in_all_the_time_is_told_when_to_come_again_and_others_are_not(open_desk):
    async with open_desk(ANNA, BERT) as desk:
        for number in range(LOGIN_PACE.free):
            await desk.enter(f"192.0.2.{number % 4}")
        held = await desk.login(host=ELSEWHERE)
        assert isinstance(held, Denied)
        assert (held.why, held.retry_after) == (Denial.HELD_OFF, LOGIN_PACE.longest)
        assert isinstance(await desk.login("bert"), LoggedIn)
        desk.now += LOGIN_PACE.longest
        await desk.enter()


async def test_passwords_are_hashed_one_at_a_time(open_desk, monkeypatch):
    running, most = [], []
    real = queue.password_matches

    def slow(kept: str, shown: str) -> bool:
        running.append(1)
        most.append(len(running))
        try:
            return real(kept, shown)
        finally:
            running.pop()

    monkeypatch.setattr(queue, "password_matches", slow)
    async with open_desk(ANNA) as desk, trio.open_nursery() as nursery:
        for number in range(8):
            nursery.start_soon(desk.login, f"user{number}", WRONG, f"192.0.2.{number}")
    assert set(most) == {1}
    assert len(most) == 8


async def test_a_renewal_does_not_wait_for_passwords(open_desk, monkeypatch):
    async with open_desk(ANNA) as desk:
        first = await desk.enter()
        go_on = trio.Event()
        real = queue.PasswordQueue.hash

        async def waits(self, work):
            await go_on.wait()
            return await real(self, work)

        monkeypatch.setattr(queue.PasswordQueue, "hash", waits)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(desk.login)
            assert isinstance(await desk.renew(first.refresh), LoggedIn)
            go_on.set()


async def test_a_hash_by_old_parameters_is_made_anew_at_login(open_desk, tmp_path):
    async with open_desk() as desk:
        old = PasswordHasher(1, 8, 1, type=Type.ID).hash(PASSWORD)
        desk.by_hand(lambda users: users.add(ANNA, old))

        def kept() -> str:
            users = Users.open(tmp_path)
            found = users.find("anna")
            users.close()
            assert found is not None
            return found.kept

        assert denied(await desk.login("anna", WRONG)) is Denial.CREDENTIALS
        assert kept() == old
        await desk.enter()
        await until(lambda: kept() != old)
        assert not passwords.password_is_outdated(kept())
        await desk.enter()


# -- renewing -------------------------------------------------------------------------------------------------


async def test_a_renewal_gives_new_tokens_of_the_same_login(open_desk):
    async with open_desk(ANNA) as desk:
        first = await desk.enter()
        desk.now += 1700
        second = await desk.renew(first.refresh)
        assert isinstance(second, LoggedIn)
        assert second.session == first.session
        assert second.refresh != first.refresh
        assert desk.bearer(second.access).expires_at == AT + 1700 + 1800
        assert desk.is_good(first.access)


async def test_a_refresh_token_that_comes_twice_ends_the_login_for_both(open_desk):
    async with open_desk(ANNA) as desk:
        first = await desk.enter()
        second = await desk.renew(first.refresh)
        assert isinstance(second, LoggedIn)
        assert denied(await desk.renew(first.refresh)) is Denial.ENDED
        assert denied(await desk.renew(second.refresh)) is Denial.ENDED
        assert not desk.is_good(first.access)
        assert not desk.is_good(second.access)
        assert [(each.why, each.user_id) for each in desk.told] == [(Why.REUSED, "u1")]
        assert [note[5] for note in desk.notes if note[1] == "ended"] == ["reused", "unknown"]
        other = await desk.enter()
        assert desk.is_good(other.access)


async def test_a_login_that_nobody_renews_ends_and_none_outlives_seven_days(open_desk):
    async with open_desk(ANNA) as desk:
        idle = await desk.enter()
        desk.now = AT + desk.settings.session_idle
        assert denied(await desk.renew(idle.refresh)) is Denial.ENDED
        desk.now = AT
        answer: object = await desk.enter()
        while desk.now < AT + desk.settings.session_life - 86_400:
            desk.now += 86_400
            assert isinstance(answer, LoggedIn)
            answer = await desk.renew(answer.refresh)
        assert isinstance(answer, LoggedIn)
        desk.now = AT + desk.settings.session_life
        assert denied(await desk.renew(answer.refresh)) is Denial.ENDED


async def test_a_token_that_is_not_ours_renews_nothing(open_desk):
    async with open_desk(ANNA) as desk:
        for token in ("", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."):
            assert denied(await desk.renew(Secret(token))) is Denial.ENDED


async def test_who_was_locked_meanwhile_renews_nothing(open_desk):
    async with open_desk(ANNA) as desk:
        first = await desk.enter()
        desk.by_hand(lambda users: users.change(replace(ANNA, is_active=False, changed_at=AT), Why.LOCKED))
        assert denied(await desk.renew(first.refresh)) is Denial.ENDED


# -- logging out ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["access", "refresh"])
async def test_who_logs_out_takes_its_tokens_back(open_desk, by):
    async with open_desk(ANNA) as desk:
        mine, other = await desk.enter(), await desk.enter()
        assert await desk.ask(LogOut(getattr(mine, by), HOST, "floor")) == Done()
        assert not desk.is_good(mine.access)
        assert denied(await desk.renew(mine.refresh)) is Denial.ENDED
        assert desk.is_good(other.access)
        assert isinstance(await desk.renew(other.refresh), LoggedIn)


async def test_who_logs_out_everywhere_ends_all_logins(open_desk):
    async with open_desk(ANNA) as desk:
        mine, other = await desk.enter(), await desk.enter()
        assert await desk.ask(LogOut(mine.access, HOST, "floor", is_everywhere=True)) == Done()
        assert not desk.is_good(other.access)
        assert denied(await desk.renew(other.refresh)) is Denial.ENDED


async def test_nobody_logs_out_with_what_is_no_token(open_desk):
    async with open_desk(ANNA) as desk:
        assert denied(await desk.ask(LogOut(Secret("x"), HOST, "floor"))) is Denial.ENDED


async def test_the_token_of_another_issuer_is_taken_back_by_its_own_name(grow, tmp_path):
    class Theirs:
        def verify(self, _token: str, at: float) -> Identity:
            known = Identity("x9", "xenia", frozenset({"viewer"}), Proof.TOKEN, expires_at=at + 60)
            return replace(known, token_id=JTI)

    desk = Desk(tmp_path)
    desk.tokens = replace(desk.tokens, verifier=Theirs())
    async with grow([desk.spec()]) as desk.tree:
        assert await desk.ask(LogOut(Secret("theirs"), HOST, "floor")) == Done()
        known = await desk.ask(WhoIs(Secret("theirs")))
    (row,) = desk.tokens.revocations.rows()
    assert (row.scope, row.id, row.until) == (Scope.TOKEN, JTI, AT + 60)
    assert isinstance(known, Known)
    assert (known.user.name, known.user.roles, known.session) == ("xenia", ("viewer",), "")


# -- who it is, and another password --------------------------------------------------------------------------


async def test_a_token_s_user_is_told_as_it_is_now(open_desk):
    async with open_desk(ANNA) as desk:
        mine = await desk.enter()
        desk.by_hand(lambda users: users.change(replace(ANNA, email="new@example.com")))
        desk.now += 800
        known = await desk.ask(WhoIs(mine.access))
        assert isinstance(known, Known)
        assert (known.user.email, known.session, known.expires_in) == ("new@example.com", mine.session, 1000)
        assert denied(await desk.ask(WhoIs(mine.refresh))) is Denial.ENDED


async def test_another_password_ends_the_other_logins(open_desk):
    async with open_desk(ANNA) as desk:
        mine, other = await desk.enter(), await desk.enter()

        async def change(present: str, wanted: str) -> object:
            return await desk.ask(ChangePassword(mine.access, Secret(present), Secret(wanted), HOST, "floor"))

        assert denied(await change(PASSWORD, "short")) is Denial.WEAK
        assert denied(await change(WRONG, ANOTHER)) is Denial.CREDENTIALS
        assert await change(PASSWORD, ANOTHER) == Done()
        assert desk.is_good(mine.access)
        assert not desk.is_good(other.access)
        assert [each.why for each in desk.told] == [Why.PASSWORD]
        assert denied(await desk.login()) is Denial.CREDENTIALS
        assert isinstance(await desk.login(password=ANOTHER), LoggedIn)


async def test_the_present_password_is_guessed_no_faster_with_a_stolen_token(open_desk):
    async with open_desk(ANNA) as desk:
        mine = await desk.enter()
        message = ChangePassword(mine.access, Secret(WRONG), Secret(ANOTHER), HOST, "floor")
        for _ in range(USER_PATIENCE.free):
            assert denied(await desk.ask(message)) is Denial.CREDENTIALS
        assert denied(await desk.ask(message)) is Denial.HELD_OFF


# -- what another process does --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "whys"),
    [
        (lambda users: users.change(replace(ANNA, roles=("viewer",), changed_at=AT + 1), Why.CHANGED), [Why.CHANGED]),
        (lambda users: users.remove("u1", AT + 1), [Why.REMOVED, Why.REMOVED]),
        (lambda users: users.set_password("u1", "new", AT + 1), [Why.PASSWORD]),
        (lambda users: users.end_all("u1", Why.EVERYWHERE, AT + 1), [Why.EVERYWHERE]),
    ],
)
async def test_what_the_command_line_takes_back_is_taken_back_here_within_seconds(open_desk, act, whys):
    async with open_desk(ANNA) as desk:
        mine = await desk.enter()
        desk.now += 2
        assert desk.is_good(mine.access)
        desk.by_hand(act)
        await until(lambda: len(desk.told) == len(whys))
        assert [each.why for each in desk.told] == whys
        assert not desk.is_good(mine.access)


async def test_other_rights_come_with_the_next_renewal(open_desk):
    async with open_desk(ANNA) as desk:
        mine = await desk.enter()
        desk.now += 2
        desk.by_hand(lambda users: users.change(replace(ANNA, roles=("viewer",), changed_at=AT + 2), Why.CHANGED))
        after = await desk.renew(mine.refresh)
        assert isinstance(after, LoggedIn)
        await until(lambda: desk.told)
        assert desk.bearer(after.access).roles == {"viewer"}


async def test_what_was_taken_back_is_known_after_a_restart_before_anybody_asks(open_desk, grow):
    async with open_desk(ANNA) as desk:
        mine = await desk.enter()
        await desk.ask(LogOut(mine.access, HOST, "floor"))
    again = Desk(desk.directory)
    assert again.is_good(mine.access)
    async with grow([again.spec()]):
        assert not again.is_good(mine.access)
        assert again.told == []


# -- a file that cannot be used -------------------------------------------------------------------------------


async def test_a_file_that_cannot_be_used_lets_nobody_in_and_is_tried_again(open_desk, monkeypatch):
    said = []
    monkeypatch.setattr(events, "users_failed", lambda **fields: said.append(fields))
    async with open_desk(ANNA) as desk:
        mine = await desk.enter()

        def fails(*_args) -> None:
            raise StorageError(desk.directory / "access.db", "read", "planted")

        monkeypatch.setattr(Users, "find", fails)
        monkeypatch.setattr(Users, "renew", fails)
        assert denied(await desk.login()) is Denial.AWAY
        assert denied(await desk.renew(mine.refresh)) is Denial.AWAY
        assert (await desk.tree.status("gateway/accounts")).description["fault"]
        assert said[0]["reason"] == "planted"
        monkeypatch.undo()
        assert isinstance(await desk.renew(mine.refresh), LoggedIn)
        assert (await desk.tree.status("gateway/accounts")).restarts == 0


async def test_a_box_without_users_makes_no_file_until_somebody_asks(open_desk):
    async with open_desk() as desk:
        assert list(desk.directory.iterdir()) == []
        assert denied(await desk.login()) is Denial.CREDENTIALS


async def test_nothing_that_is_asked_or_answered_shows_a_secret(open_desk):
    async with open_desk(ANNA) as desk:
        answer = await desk.enter()
        shown = repr((LogIn("anna", Secret(PASSWORD), HOST, "floor"), answer, Renew(answer.refresh, HOST, "floor")))
        for secret in (PASSWORD, answer.access.reveal(), answer.refresh.reveal()):
            assert secret not in shown
            assert secret not in repr(desk.notes)


async def test_a_login_and_its_end_name_the_user_and_the_login_in_the_log(open_desk, monkeypatch):
    lines = []
    monkeypatch.setattr(events, "login_succeeded", lambda **said: lines.append(("login", said)))
    monkeypatch.setattr(events, "session_ended", lambda **said: lines.append(("end", said)))
    monkeypatch.setattr(Desk, "note", staticmethod(noted_in_log))
    async with open_desk(ANNA) as desk:
        first, second = await desk.enter(), await desk.enter()
        await desk.ask(LogOut(second.refresh, HOST, "floor"))
        desk.by_hand(lambda users: users.end_all("u1", Why.EVERYWHERE, desk.now))
        await until(lambda: len(lines) == 4)
    assert lines == [
        ("login", {"user": "Anna", "session": first.session[:8], "client": HOST, "door": "floor"}),
        ("login", {"user": "Anna", "session": second.session[:8], "client": HOST, "door": "floor"}),
        ("end", {"user": "Anna", "session": second.session[:8], "reason": "logout"}),
        ("end", {"user": "Anna", "session": first.session[:8], "reason": "everywhere"}),
    ]
