import pytest

from domain import Publication
from transport.frames import text_frame
from transport.session import Close, Send, Session, Step, Subscribe, Unsubscribe


def encode(publication: Publication) -> bytes | None:
    return publication.position.encode()


class Echo:
    """The smallest session there can be."""

    def opened(self, at: float) -> list[Step]:
        return [Subscribe("alarms/*", encode, 1), Send(text_frame(b"welcome %d" % at))]

    def received(self, message: str | bytes, at: float) -> list[Step]:
        return [Unsubscribe("alarms/*"), Close(1000, str(message))] if at else []


def test_a_session_answers_with_steps_in_their_order():
    session: Session = Echo()
    subscribe, send = session.opened(7.0)
    assert subscribe == Subscribe("alarms/*", encode, latest=1)
    assert send.frame.data == b"\x81\x09welcome 7"
    assert session.received("bye", 1.0) == [Unsubscribe("alarms/*"), Close(1000, "bye")]
    assert session.received("bye", 0.0) == []


def test_nothing_of_the_past_is_asked_for_unless_it_is_said():
    assert Subscribe("alarms/*", encode).latest == 0


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (Send(text_frame(b"")), "frame"),
        (Subscribe("a/b", encode), "channel"),
        (Unsubscribe("a/b"), "channel"),
        (Close(1000, ""), "code"),
    ],
)
def test_a_step_cannot_be_changed(step, name):
    with pytest.raises(AttributeError):
        setattr(step, name, None)


def test_two_subscriptions_share_an_encoder_by_identity():
    # A channel encodes once for each function object.
    assert len({Subscribe("a/b", encode).encode, Subscribe("a/c", encode).encode}) == 1
