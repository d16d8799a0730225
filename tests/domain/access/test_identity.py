"""Who somebody is: nobody is another for having the name or the subject of another."""

from __future__ import annotations

import itertools

from domain.access import OPEN_RIGHTS, Identity, Proof


def identity(subject="7", name="kim", proof=Proof.TOKEN, issuer="house"):
    return Identity(subject, name, frozenset(), proof, issuer=issuer)


def test_people_are_told_apart_by_who_vouches_for_them_and_how():
    everybody = [
        identity(),
        identity(subject="8"),
        identity(issuer="guests"),
        identity(issuer="andond"),
        identity(issuer="andond", proof=Proof.LOCAL),
        identity(issuer="", proof=Proof.CERTIFICATE),
        identity(subject="house 7", issuer=""),
        identity(subject="7", issuer="house 7"),
        identity(subject="7 7", issuer="house"),
    ]
    assert not [pair for pair in itertools.combinations(everybody, 2) if pair[0].person == pair[1].person]


def test_a_person_stays_the_same_under_another_name():
    assert identity().person == identity(name="kim maier").person


def test_who_proves_nothing_is_no_person():
    assert OPEN_RIGHTS.identity.person == identity(proof=Proof.ANONYMOUS).person == ""
