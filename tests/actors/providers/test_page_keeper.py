"""The keeper of the page's sessions, where no provider and no user has to be there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from msgspec.structs import replace

from actors import PageKeeper, PageVisits, Tokens
from actors.accounts.words import Denial, Denied, Done, LoggedIn, LogOut, Renew
from actors.providers.page_words import FinishSignIn, KeepLogin, LeavePage, NotSignedIn, SettleSession, SignedIn
from actors.providers.talk import ProviderTalk
from actors.runtime import ChildSpec, Supervisor, TrioActor
from config import AccessSettings, IssuerSettings, PageSettings, Secret
from domain.access import (
    Attempt,
    Identity,
    Proof,
    Revocation,
    Scope,
    SignInFault,
    SignInRefused,
    TokenFault,
    TokenRefused,
    User,
    Why,
    Withdrawal,
    key_of,
    superseded,
)
from telemetry import events
from transport import TokenVerifier

AT = 1_800_000_000.0
ANNA = User("u1", "anna", ("operator",))
SETTINGS = AccessSettings(
    page=PageSettings(address="https://andond.example", life=3600.0, outage=100.0),
    issuers={"id": IssuerSettings(issuer="https://id.example", discovery=True, client="andond")},
)


class Verifier(TokenVerifier):
    """Knows anna by any token but ``bad``; ``roles`` are hers by now."""

    def __init__(self) -> None:
        super().__init__()
        self.roles = frozenset({"operator"})
        self.issued_at = AT

    def verify(self, token: str, at: float) -> Identity:
        if token == "bad":  # noqa: S105
            raise TokenRefused(TokenFault.SIGNATURE)
        return Identity(
            "u1", "anna", self.roles, Proof.LOCAL, session="f1", issued_at=self.issued_at, expires_at=at + 60
        )


class Keeper(TrioActor):
    """In place of the users' keeper: answers with what is next."""

    def __init__(self, asked: list[object], answers: list[object]) -> None:
        super().__init__()
        self._asked, self._answers = asked, answers

    def on_receive(self, message: object) -> object:
        self._asked.append(message)
        answer = self._answers.pop(0) if self._answers else Denied(Denial.AWAY, "")
        return answer() if callable(answer) else answer


class Rig:
    def __init__(self) -> None:
        self.verifier = Verifier()
        self.visits = PageVisits()
        self.tokens = Tokens(None, self.verifier, self.verifier.revocations)  # type: ignore[arg-type]
        self.told: list[Withdrawal] = []
        self.tokens.withdrawn.follow(self.told.append)
        self.asked: list[object] = []
        self.answers: list[object] = []
        self.reviews = 0

    def now(self) -> float:
        return AT + trio.current_time()

    def review(self) -> None:
        self.reviews += 1

    async def ask(self, message: object) -> object:
        return await self.tree.ref("gateway/watches/page").ask(message, block=False)

    async def keep_login(self, token: str = "good") -> object:  # noqa: S107
        return await self.ask(KeepLogin(login(token), "192.0.2.7"))

    @property
    def one(self):
        (session,) = tuple(self.visits.sessions)
        return session


def login(token: str = "good", refresh: str = "r1") -> LoggedIn:  # noqa: S107
    return LoggedIn(Secret(token), Secret(refresh), ANNA, "f1", 300.0)


@pytest.fixture
def keeping(grow):
    @asynccontextmanager
    async def keep() -> AsyncIterator[Rig]:
        rig = Rig()
        given = (rig.visits, lambda: SETTINGS, rig.verifier, rig.tokens, rig.review, rig.now)
        watches = [
            ChildSpec("accounts", Keeper, (rig.asked, rig.answers)),
            ChildSpec("page", PageKeeper, given),
        ]
        async with grow([ChildSpec("watches", Supervisor, (watches,))]) as rig.tree:
            yield rig

    return keep


async def test_a_login_becomes_a_session_under_a_secret_that_is_shown_nowhere(keeping):
    async with keeping() as rig:
        answer = await rig.keep_login()
        assert isinstance(answer, SignedIn)
        secret = answer.secret.reveal()
        assert rig.visits.sessions.find(key_of(secret), rig.now()) is answer.session
        assert secret not in repr(answer)
        assert "r1" not in repr(answer)
        assert isinstance(await rig.keep_login("bad"), NotSignedIn)
        assert len(rig.visits.sessions) == 1


async def test_it_is_renewed_before_its_token_ends_and_what_has_changed_is_looked_at(keeping, autojump_clock):
    async with keeping() as rig:
        await rig.keep_login()
        rig.answers.append(login(refresh="r2"))
        rig.verifier.roles = frozenset({"viewer"})
        await trio.sleep(250)
        (asked,) = rig.asked
        assert isinstance(asked, Renew)
        assert asked.token.reveal() == "r1"
        assert (rig.one.renewal, rig.one.identity.roles, rig.reviews) == ("r2", {"viewer"}, 1)


async def test_while_nobody_answers_it_goes_on_for_a_while_and_ends_then(keeping, autojump_clock):
    async with keeping() as rig:
        await rig.keep_login()
        await trio.sleep(390)
        assert len(rig.visits.sessions) == 1
        assert len(rig.asked) > 5
        await trio.sleep(40)
        assert len(rig.visits.sessions) == 0
        assert [(each.user_id, each.why) for each in rig.told] == [("u1", Why.LOGOUT)]
        assert rig.verifier.is_revoked(replace(rig.verifier.verify("x", AT), session="f1"), rig.now())


async def test_what_is_refused_ends_at_once(keeping, autojump_clock):
    async with keeping() as rig:
        await rig.keep_login()
        rig.answers.append(Denied(Denial.ENDED, ""))
        await trio.sleep(250)
        assert len(rig.visits.sessions) == 0


async def test_rights_that_were_taken_back_are_renewed_at_once_and_only_once(keeping):
    async with keeping() as rig:
        session = (await rig.keep_login()).session
        rig.answers.append(login(refresh="r2"))
        withdrawal = superseded("u1", Why.CHANGED, rig.now() + 10)
        rig.verifier.revocations.revoke(withdrawal.row, rig.now())
        rig.verifier.issued_at = AT + 100
        rig.tokens.withdrawn.tell(withdrawal)
        await rig.ask(SettleSession(session.key))
        assert rig.one.renewal == "r2"
        assert len(rig.asked) == 1


async def test_leaving_ends_the_login_and_tells_who_is_connected_by_it(keeping):
    async with keeping() as rig:
        session = (await rig.keep_login()).session
        await rig.ask(LeavePage(session.key))
        (asked,) = rig.asked
        assert isinstance(asked, LogOut)
        assert asked.token.reveal() == "r1"
        assert len(rig.visits.sessions) == 0
        assert [each.why for each in rig.told] == [Why.LOGOUT]
        await rig.ask(LeavePage(session.key))
        assert len(rig.asked) == 1


async def test_a_sign_out_is_told_as_the_end_of_the_login_and_nothing_is_renewed_for_it(keeping, monkeypatch):
    lines = []
    monkeypatch.setattr(events, "page_ended", lambda **said: lines.append(said))
    async with keeping() as rig:
        session = (await rig.keep_login()).session

        def log_out() -> Done:
            withdrawal = Withdrawal(Revocation(Scope.SESSION, "f1"), "u1", Why.LOGOUT, rig.now())
            rig.verifier.revocations.revoke(withdrawal.row, rig.now())
            rig.tokens.withdrawn.tell(withdrawal)
            return Done()

        rig.answers.append(log_out)
        await rig.ask(LeavePage(session.key))
        await rig.tree.settle()
        assert [type(each) for each in rig.asked] == [LogOut]
        assert (len(rig.visits.sessions), lines) == (0, [])
        # Where the users cannot be asked nobody else says it.
        session = (await rig.keep_login()).session
        await rig.ask(LeavePage(session.key))
        assert lines == [{"user": "anna", "session": "f1", "issuer": "", "reason": "logout"}]


async def test_a_code_of_a_provider_that_is_not_known_yet_signs_nobody_in_and_counts_as_used(keeping):
    async with keeping() as rig:
        browser = "b" * 43
        attempt = rig.visits.sign_ins.begin("id", browser, bytes(16), rig.now())
        answer = await rig.ask(FinishSignIn(attempt, "code"))
        assert isinstance(answer, NotSignedIn)
        assert answer.fault is SignInFault.AWAY
        with pytest.raises(SignInRefused) as refused:
            rig.visits.sign_ins.resume(attempt.state, browser, rig.now())
        assert refused.value.fault is SignInFault.REPEATED


def test_nobody_signs_in_where_no_client_is_named():
    talk = ProviderTalk(AccessSettings, TokenVerifier(), lambda: AT)
    with pytest.raises(SignInRefused):
        talk.at("id")
    assert Attempt("id", "s", "nonce-x", "verifier-x").state == "s"
