from __future__ import annotations

from actors import Review
from actors.runtime import ActorDead
from andond.identities import OPEN, Identities, Terms
from andond.rights_review import RightsReview
from domain.access import NO_RIGHTS, OPEN_RIGHTS, AccessPolicy, Family, Identity, Proof, Why, ended
from transport import TokenVerifier

AT = 1_800_000_000.0
ANNA = Identity("u1", "anna", frozenset({"viewer"}), Proof.LOCAL, session="f1", issued_at=AT)
LOGOUT = ended(Family("f1", "u1", AT, AT), Why.LOGOUT, AT)


class Listener:
    def __init__(self) -> None:
        self.told: list[object] = []

    def tell(self, message: object) -> None:
        self.told.append(message)


class Nobody:
    def tell(self, _message: object) -> None:
        raise ActorDead("planted")


def review(terms: Terms, listener=None) -> RightsReview:
    verifier = TokenVerifier()
    verifier.revocations.revoke(LOGOUT.row, AT)
    return RightsReview(listener or Listener(), Identities(lambda: terms), verifier, lambda: AT)


def test_the_listener_looks_at_all_links_when_something_was_taken_back():
    listener = Listener()
    review(OPEN, listener)(LOGOUT)
    assert [type(message) for message in listener.told] == [Review]


def test_without_a_listener_there_is_nobody_to_send_away():
    review(OPEN, Nobody())(LOGOUT)


def test_who_has_a_token_that_was_taken_back_may_nothing_and_others_what_they_might():
    policy = AccessPolicy()
    reviewing = review(Terms(policy))
    assert reviewing.rights_of(ANNA) is None
    bert = Identity("u2", "bert", frozenset({"viewer"}), Proof.LOCAL, session="f2", issued_at=AT)
    assert reviewing.rights_of(bert) == policy.rights(bert)


def test_who_did_not_say_who_it_is_stays():
    assert review(OPEN).rights_of(OPEN_RIGHTS.identity) == OPEN_RIGHTS
    assert review(Terms(AccessPolicy())).rights_of(NO_RIGHTS.identity) == NO_RIGHTS
