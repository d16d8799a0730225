"""Everything the daemon has to say, one function per named event: the log line and the metric together.

Rules of this file:

* An event is called ``noun.past_participle``; its function has the same name with underscores and keyword arguments
  in the glossary's words.
* A function writes one line and counts once. Hot paths do not come here: they add to ``counters`` and stay silent.
* What an outsider can cause at will is said sparingly (``log.sparing``): five lines a second, the rest counted.
* Counted labels are bounded sets; addresses, names of clients and free text go to the line only. Secrets go nowhere.
* One section per package that reports, in the order of dependency. Add at the end of your section.
"""

from __future__ import annotations

from collections.abc import Sequence

from telemetry.counters import counters
from telemetry.logs import log

# --- config ------------------------------------------------------------------------------------


def settings_loaded(*, path: str, sources: int) -> None:
    """The settings were read and are valid."""
    log.info("settings.loaded", path=path, sources=sources)


def settings_reloaded(*, path: str, applied: Sequence[str], needs_restart: Sequence[str]) -> None:
    """A reload was done: ``applied`` is in force, ``needs_restart`` waits for the next start."""
    counters.reloads.add("applied")
    log.info("settings.reloaded", path=path, applied=", ".join(applied), needs_restart=", ".join(needs_restart))


def settings_refused(*, path: str, faults: Sequence[str]) -> None:
    """A reload found faults; what was in force stays in force."""
    counters.reloads.add("refused")
    log.error("settings.refused", path=path, faults="; ".join(faults))


# --- transport ---------------------------------------------------------------------------------


def listener_opened(*, address: str, tls: bool) -> None:
    """A listener accepts connections."""
    log.info("listener.opened", address=address, tls=tls)


def listener_closed(*, address: str) -> None:
    """A listener accepts no more connections."""
    log.info("listener.closed", address=address)


def listener_paused(*, address: str, reason: str, delay: float) -> None:
    """Accepting stopped for ``delay`` seconds: out of ``descriptors`` or ``memory``."""
    counters.listener_pauses.add(reason)
    log.sparing("warning", "listener.paused", address=address, reason=reason, delay=delay)


def connection_opened(*, connection: str, door: str, client: str) -> None:
    """A client was let in through ``door``."""
    counters.connections_opened.add(door)
    log.debug("connection.opened", connection=connection, door=door, client=client)


def connection_closed(*, connection: str, door: str, code: int, reason: str, duration: float) -> None:
    """A connection ended with a close code; 1006 when the link was simply gone."""
    counters.connections_closed.add(str(code))
    log.debug(
        "connection.closed", connection=connection, door=door, code=code, reason=reason, duration=round(duration, 3)
    )


def connection_refused(*, client: str, reason: str, status: int) -> None:
    """A client was refused at the handshake: ``limit``, ``address``, ``draining``, ``origin`` or ``unauthorised``."""
    counters.connections_refused.add(reason)
    log.sparing("warning", "connection.refused", client=client, reason=reason, status=status)


def connection_dropped(*, connection: str, door: str, silence: float) -> None:
    """Nothing was heard from a client for too long; its link counts as dead."""
    counters.connections_dropped += 1
    log.sparing("info", "connection.dropped", connection=connection, door=door, silence=round(silence, 3))


def limit_reached(*, client: str, holder: str, of: str, limit: float) -> None:
    """A client met a limit ``of`` something that its connection, address, user or tenant, the ``holder``, has."""
    counters.limits_reached.add(f"{holder}.{of}")
    log.sparing("warning", "limit.reached", client=client, holder=holder, of=of, limit=limit)


def certificate_taken(*, path: str, fingerprint: str) -> None:
    """Our certificate was renewed: who connects from now on is shown the new one."""
    counters.certificates_taken += 1
    log.info("certificate.taken", path=path, fingerprint=fingerprint)


def certificate_refused(*, path: str, reason: str) -> None:
    """The files of our certificate have changed and cannot be used; the one before stays in force."""
    counters.certificates_refused += 1
    log.error("certificate.refused", path=path, reason=reason)


def token_refused(*, reason: str, client: str, door: str) -> None:
    """An access token was not taken: ``expired``, ``signature``, ``audience`` and so on; who reads it counts it.

    ``ended``: at the paths that say whose a token is.
    """
    log.sparing("info", "token.refused", reason=reason, client=client, door=door)


def handshake_failed(*, client: str, reason: str, detail: str = "") -> None:
    """A client did not get as far as a request: ``timeout``, ``tls``, ``malformed``, ``upgrade`` or ``lost``."""
    counters.handshakes_failed.add(reason)
    log.sparing("info", "handshake.failed", client=client, reason=reason, detail=detail)


def request_failed(*, method: str, path: str, error: BaseException) -> None:
    """A handler broke: our fault, answered with 500."""
    counters.requests_failed += 1
    log.error("request.failed", method=method, path=path, error=error)


def frame_rejected(*, connection: str, door: str, reason: str, code: int | None = None) -> None:
    """A client's frame was not understood: ``size``, ``utf8``, ``binary``, ``json`` or ``protocol``."""
    counters.frames_rejected.add(reason)
    log.sparing("info", "frame.rejected", connection=connection, door=door, reason=reason, code=code)


def outbox_overflowed(*, connection: str, door: str) -> None:
    """A client is too far behind with critical frames and is disconnected."""
    counters.outboxes_overflowed += 1
    log.sparing("warning", "outbox.overflowed", connection=connection, door=door)


def ledger_unbalanced(*, connection: str, door: str, count: int) -> None:
    """Publications for a client cannot be accounted for: a fault of the gateway itself."""
    log.error("ledger.unbalanced", connection=connection, door=door, count=count)


def socket_misconfigured(*, option: str, detail: str, meaning: str) -> None:
    """The kernel did not take a socket option that a promise rests on; ``meaning`` says what does not hold."""
    log.warning("socket.misconfigured", option=option, detail=detail, meaning=meaning)


def connection_failed(*, client: str, error: BaseException) -> None:
    """Something broke on our side of one connection; it ends, the others go on."""
    counters.connections_failed += 1
    log.error("connection.failed", client=client, error=error)


# --- actors.runtime ----------------------------------------------------------------------------


def actor_failed(*, actor: str, kind: str, error: BaseException | None, message: str = "") -> None:
    """An actor ended with an error nobody planned for, while handling a message of class ``message``."""
    counters.actor_failures.add(kind)
    log.error("actor.failed", actor=actor, kind=kind, message=message, error=error)


def actor_restarted(*, actor: str, kind: str, delay: float, restarts: int) -> None:
    """An actor lives again, ``delay`` seconds after it failed, for the ``restarts``-th time."""
    counters.actor_restarts.add(kind)
    log.warning("actor.restarted", actor=actor, kind=kind, delay=round(delay, 6), restarts=restarts)


def actor_quarantined(*, actor: str, kind: str, message: str, reason: str) -> None:
    """A message that fails its actor was put aside; the failure follows with its traceback, as ``actor.failed``."""
    counters.messages_quarantined.add(kind)
    log.error("actor.quarantined", actor=actor, kind=kind, message=message, reason=reason)


def actor_buried(*, actor: str, kind: str, reason: str) -> None:
    """An actor failed and will not come back."""
    counters.actors_buried.add(kind)
    log.warning("actor.buried", actor=actor, kind=kind, reason=reason)


def actor_stuck(*, actor: str, kind: str, age: float) -> None:
    """An actor did not answer in time; it has been at one message for ``age`` seconds."""
    counters.actors_stuck += 1
    log.sparing("warning", "actor.stuck", actor=actor, kind=kind, age=round(age, 3))


def mailbox_overflowed(*, actor: str, priority: str, dropped: int, refused: int) -> None:
    """A full mailbox gave up ``dropped`` waiting messages of one priority and took none of ``refused`` new ones."""
    log.sparing("warning", "mailbox.overflowed", actor=actor, priority=priority, dropped=dropped, refused=refused)


def supervisor_escalated(*, actor: str, restarts: int, period: float, error: BaseException | None = None) -> None:
    """A supervisor's children failed too often within ``period`` seconds; its own supervisor decides."""
    counters.escalations += 1
    log.error("supervisor.escalated", actor=actor, restarts=restarts, period=period, error=error)


def message_dead_lettered(*, actor: str, message: str, reason: str, count: int = 1) -> None:
    """Messages found nobody: their actor was ``stopped`` or ``unknown``, ``refused`` them, or did ``overflow``."""
    counters.dead_letters.add(reason, count)
    log.sparing("warning", "message.dead_lettered", actor=actor, message=message, reason=reason, count=count)


# --- actors ------------------------------------------------------------------------------------


def channel_created(*, channel: str, epoch: str) -> None:
    """Somebody published to a channel, or subscribed to it, for the first time."""
    counters.channels_created += 1
    log.debug("channel.created", channel=channel, epoch=epoch)


def channel_retired(*, channel: str, idle: float) -> None:
    """A channel that nobody used for ``idle`` seconds was let go."""
    counters.channels_retired += 1
    log.debug("channel.retired", channel=channel, idle=round(idle, 3))


def channel_refused(*, channel: str, limit: int) -> None:
    """A channel was not made: there are ``limit`` already."""
    counters.channels_refused += 1
    log.sparing("warning", "channel.refused", channel=channel, limit=limit)


def channel_unseeded(*, channel: str, reason: str) -> None:
    """A channel begins without what was published before: the recorder failed, or did not answer in time."""
    log.sparing("warning", "channel.unseeded", channel=channel, reason=reason)


def memory_failed(*, path: str, operation: str, reason: str) -> None:
    """What clients follow could not be read or written; they are remembered as long as the process lives."""
    log.sparing("warning", "memory.failed", path=path, operation=operation, reason=reason)


def resume_failed(*, connection: str, reason: str) -> None:
    """A client that resumes was told that it is not recovered: the recorder failed, or did not answer in time."""
    log.sparing("warning", "resume.failed", connection=connection, reason=reason)


def notification_sent(*, notification: str, channel: str, target: str, receipt: str) -> None:
    """A channel has a receipt for a notification of a call."""
    counters.notifications_sent.add(channel)
    log.info("notification.sent", notification=notification, channel=channel, target=target, receipt=receipt)


def notification_failed(*, notification: str, channel: str, target: str, reason: str) -> None:
    """A channel has no receipt for a notification of a call; the next channel or level is tried at once."""
    counters.notifications_failed.add(channel)
    log.sparing(
        "warning", "notification.failed", notification=notification, channel=channel, target=target, reason=reason
    )


def event_refused(*, source: str, event: str, reason: str, detail: str = "") -> None:
    """An event that came in was not taken: ``invalid``, ``duplicate`` or ``overloaded``."""
    counters.events_refused.add(reason)
    log.sparing("info", "event.refused", source=source, id=event, reason=reason, detail=detail)


def journal_opened(*, path: str, epoch: str, critical: int) -> None:
    """The journal was opened; ``critical`` is the number of its newest critical event."""
    log.info("journal.opened", path=path, epoch=epoch, critical=critical)


def journal_begun(*, epoch: str, reason: str, detail: str = "", aside: str = "") -> None:
    """An epoch began: the journal is ``new``, or ``damaged`` (and put ``aside``), ``copied``, or ``lost`` its end."""
    log.warning("journal.begun", epoch=epoch, reason=reason, detail=detail, aside=aside)


def series_begun(*, aside: str) -> None:
    """The chain's history was damaged and put ``aside``; what could be read of it was taken along."""
    log.warning("series.begun", aside=aside)


def series_failed(*, path: str, operation: str, reason: str) -> None:
    """The chain's history could not be read or written; its minutes wait, a day of them at most."""
    log.sparing("warning", "series.failed", path=path, operation=operation, reason=reason)


def journal_volatile(*, setting: str) -> None:
    """The journal is in memory, nothing survives a restart: ``setting`` would say where to keep it."""
    log.warning("journal.volatile", setting=setting)


def journal_failed(*, path: str, operation: str, reason: str) -> None:
    """The journal could not be written or read; events are published all the same and nobody is told they are kept."""
    counters.journal_failed += 1
    log.sparing("error", "journal.failed", path=path, operation=operation, reason=reason)


def journal_recovered(*, path: str, duration: float, unkept: int) -> None:
    """The journal can be written again after ``duration`` seconds; ``unkept`` urgent events are in it now as well."""
    log.warning("journal.recovered", path=path, duration=round(duration, 3), unkept=unkept)


def journal_shed(*, reason: str, high: int = 0, normal: int = 0, low: int = 0) -> None:
    """Events were given up so that calls have room: ``deleted`` to make some, or ``refused`` for want of it."""
    for priority, count in zip((1, 2, 3), (high, normal, low), strict=True):
        counters.journal_shed[priority] += count
    log.sparing("warning", "journal.shed", reason=reason, high=high, normal=normal, low=low)


def state_awaited(*, desk: str) -> None:
    """A desk cannot read what was kept: it decides nothing until the journal can be read."""
    log.error("state.awaited", desk=desk)


def count_refused(*, equipment: str, id: str, reason: str) -> None:  # noqa: A002 - the name of the field
    """A count from a source is not in any sum: it came too late, or is not well told."""
    log.sparing("warning", "count.refused", equipment=equipment, id=id, reason=reason)


def state_unreadable(*, kind: str, count: int) -> None:
    """The disk has changed kept state beyond reading: so many things of this kind are known no more."""
    log.error("state.unreadable", kind=kind, count=count)


def journal_oversized(*, size: int) -> None:
    """Critical events are ``size`` bytes past what they should take; they stay until they are old enough."""
    log.sparing("warning", "journal.oversized", size=size)


def receipt_overdue(*, client: str, connection: str, kind: str, count: int, since: float) -> None:
    """A client owes receipts of a ``kind`` for ``count`` critical events, the oldest for ``since`` seconds."""
    log.sparing(
        "warning",
        "receipt.overdue",
        client=client,
        connection=connection,
        kind=kind,
        count=count,
        since=round(since, 3),
    )


def receipt_settled(*, client: str, connection: str, kind: str, cause: str) -> None:
    """Receipts that were overdue ``came``, or the client has ``left``, or they are ``forgiven``."""
    log.sparing("info", "receipt.settled", client=client, connection=connection, kind=kind, cause=cause)


def canary_breached(*, clients: int, late: int, bound: float) -> None:
    """Too many of the native clients are further than ``bound`` seconds away: /readyz says no."""
    log.warning("canary.breached", clients=clients, late=late, bound=bound)


def canary_recovered(*, clients: int, late: int) -> None:
    """The native clients are within the bound again, but for a few."""
    log.info("canary.recovered", clients=clients, late=late)


def validator_jailed(*, chain: str, validator: str, status: str, reason: str, height: int) -> None:
    """A validator was told to be jailed, or tombstoned, for the first time."""
    counters.validator_jailings.add(chain)
    log.sparing(
        "warning", "validator.jailed", chain=chain, validator=validator, status=status, reason=reason, height=height
    )


def validator_retracted(*, chain: str, validator: str, status: str, why: str) -> None:
    """A state of a validator that was told is taken back: it is ``status``."""
    counters.validator_retractions.add(chain)
    log.sparing("warning", "validator.retracted", chain=chain, validator=validator, status=status, why=why)


def validator_contested(*, chain: str, validator: str, status: str, why: str) -> None:
    """What is said of a validator does not agree."""
    counters.validator_conflicts.add(chain)
    log.sparing("warning", "validator.contested", chain=chain, validator=validator, status=status, why=why)


def chain_halted(*, chain: str, height: int, why: str) -> None:
    """A chain stands still: its nodes answer and there is no new block."""
    counters.chain_halts.add(chain)
    log.error("chain.halted", chain=chain, height=height, why=why)


def chain_resumed(*, chain: str, height: int) -> None:
    """A chain that stood still goes on."""
    log.info("chain.resumed", chain=chain, height=height)


def chain_lost(*, chain: str, height: int) -> None:
    """No node of a chain can be relied on: nothing is known of its validators now."""
    counters.chain_silences.add(chain)
    log.error("chain.lost", chain=chain, height=height)


def chain_returned(*, chain: str, height: int) -> None:
    """A node of the chain can be relied on again."""
    log.info("chain.returned", chain=chain, height=height)


def chain_reorganized(*, chain: str, height: int, depth: int) -> None:
    """A chain took back blocks, ``height`` the first of them."""
    log.sparing("warning", "chain.reorganized", chain=chain, height=height, depth=depth)


def heights_missed(*, chain: str, first: int, last: int, reason: str) -> None:
    """Nobody could be asked about some heights of a chain."""
    counters.chain_heights_missed.add(chain, last - first + 1)
    log.warning("heights.missed", chain=chain, first=first, last=last, reason=reason)


def node_quarantined(*, chain: str, node: str, reason: str) -> None:
    """The word of a chain's node does not count for a while."""
    counters.chain_node_quarantines.add(chain)
    log.warning("node.quarantined", chain=chain, node=node, reason=reason)


def node_released(*, chain: str, node: str, reason: str) -> None:
    """The word of a chain's node counts again."""
    log.info("node.released", chain=chain, node=node, reason=reason)


def node_connected(*, source: str, node: str, part: str, address: str) -> None:
    """A node of a chain was reached at ``part``: an interface of its, or one of the links to it."""
    counters.source_connects.add(source)
    log.info("node.connected", source=source, node=node, part=part, address=address)


def node_lost(*, source: str, node: str, part: str, reason: str, delay: float) -> None:
    """A ``part`` of a node of a chain is lost, tried again in ``delay`` seconds; the source goes on with the rest."""
    counters.source_losses.add(source)
    log.warning("node.lost", source=source, node=node, part=part, reason=reason, delay=round(delay, 3))


def node_refused(*, source: str, node: str, chain: str, wanted: str) -> None:
    """A node is one of another chain than the configuration says: nothing is read from it."""
    log.error("node.refused", source=source, node=node, chain=chain, wanted=wanted)


def validator_unknown(*, source: str, validator: str) -> None:
    """A validator is to be watched, and no node of the chain has a record of it; its address may be mistyped."""
    log.warning("validator.unknown", source=source, validator=validator)


def answer_missed(*, source: str, node: str, asked: str, reason: str) -> None:
    """A node of a chain did not answer, refused, or said what cannot be read; the source goes on without it."""
    counters.chain_answers_missed.add(source)
    counters.chain_node_failures.add(f"{source}\t{node}\t{asked}")
    log.sparing("warning", "answer.missed", source=source, node=node, asked=asked, reason=reason)


def stream_lost(*, source: str, node: str, stream: str, reason: str) -> None:
    """A subscription or stream of a node was refused or ended; the source asks for it again."""
    counters.chain_streams_lost.add(source)
    log.sparing("warning", "stream.lost", source=source, node=node, stream=stream, reason=reason)


def flood_began(*, position: str, count: int, first: str) -> None:
    """A flood of alarms began at an operating position; the alarm ``first`` came first."""
    log.warning("flood.began", position=position, count=count, first=first)


def flood_ended(*, position: str, count: int, peak: int, duration: float) -> None:
    """A flood of ``count`` alarms is over after ``duration`` seconds."""
    log.info("flood.ended", position=position, count=count, peak=peak, duration=round(duration, 3))


def signal_lost(*, alarm: str, source: str) -> None:
    """A source said something of an alarm and the alarms' desk had no room: the event is kept, the state is not."""
    counters.alarm_signals_lost += 1
    log.sparing("error", "signal.lost", alarm=alarm, source=source)


def alarm_refused(*, alarm: str, source: str) -> None:
    """There is no room for an alarm that is not known yet: the source has filled its share, or all have the table."""
    counters.alarm_signals_lost += 1
    log.sparing("error", "alarm.refused", alarm=alarm, source=source)


def state_lost(*, equipment: str) -> None:
    """A machine's state came and the production's desk had no room: the ledger has it when the next one comes."""
    log.sparing("error", "state.lost", equipment=equipment)


def keys_fetched(*, issuer: str, keys: int) -> None:
    """The public keys of an issuer of tokens are at hand."""
    counters.keys_fetched += 1
    log.debug("keys.fetched", issuer=issuer, keys=keys)


def keys_skipped(*, issuer: str, reason: str) -> None:
    """Some of its keys are no use, and others are; said again when it publishes others."""
    log.sparing("warning", "keys.skipped", issuer=issuer, reason=reason)


def keys_unfetched(*, issuer: str, reason: str, kept: int, delay: float) -> None:
    """They could not be fetched, and will be tried again after ``delay``; the ``kept`` last good ones stay in force."""
    counters.keys_unfetched += 1
    log.sparing("warning", "keys.unfetched", issuer=issuer, reason=reason, kept=kept, delay=round(delay, 3))


def login_succeeded(*, user: str, session: str, client: str, door: str) -> None:
    """A local user has logged in; ``session`` is the beginning of the login's name."""
    counters.logins.add("succeeded")
    log.info("login.succeeded", user=user, session=session, client=client, door=door)


def login_renewed(*, user: str, client: str, door: str) -> None:
    """A login was renewed with its refresh token."""
    counters.logins.add("renewed")
    log.debug("login.renewed", user=user, client=client, door=door)


def login_refused(*, reason: str, user: str, client: str, door: str) -> None:
    """A login or its renewal was refused: ``credentials``, ``held_off``, ``busy``, ``ended`` or ``away``.

    ``user`` is empty where there is no such user: what was written in its place may be a password.
    """
    counters.logins.add(reason)
    log.sparing("warning", "login.refused", reason=reason, user=user, client=client, door=door)


def session_ended(*, user: str, session: str, reason: str) -> None:
    """Tokens were taken back: those of the login ``session``, or, where that is empty, others of the ``user``.

    ``user`` is the name of a user of this gateway, and the id of one who is no more or is another issuer's.
    """
    counters.sessions_ended.add(reason)
    log.info("session.ended", user=user, session=session, reason=reason)


def page_signed_in(*, user: str, session: str, issuer: str, client: str) -> None:
    """Somebody has signed in on the page, with a provider or, if ``issuer`` is empty, as a user of this gateway."""
    counters.sign_ins.add("succeeded")
    log.info("page.signed_in", user=user, session=session, issuer=issuer, client=client)


def page_renewed(*, user: str, issuer: str) -> None:
    """A sign-in on the page was renewed in the background."""
    counters.sign_ins.add("renewed")
    log.debug("page.renewed", user=user, issuer=issuer)


def page_refused(*, reason: str, issuer: str, client: str, detail: str) -> None:
    """Nobody was signed in: ``unasked``, ``late``, ``repeated``, ``mixed_up``, ``denied``, ``malformed`` and others."""
    counters.sign_ins.add("refused")
    log.sparing("warning", "page.refused", reason=reason, issuer=issuer, client=client, detail=detail)


def page_unrenewed(*, issuer: str, reason: str) -> None:
    """A sign-in could not be renewed now; it lasts on for a while, and it is tried again."""
    counters.sign_ins.add("postponed")
    log.sparing("warning", "page.unrenewed", issuer=issuer, reason=reason)


def page_ended(*, user: str, session: str, issuer: str, reason: str) -> None:
    """A sign-in on the page has ended: by its user (``logout``), or because it is not renewed any more.

    Where a login of a user of this gateway ends with it, ``session.ended`` tells both.
    """
    counters.sign_ins.add("ended")
    log.info("page.ended", user=user, session=session, issuer=issuer, reason=reason)


def users_failed(*, path: str, operation: str, reason: str) -> None:
    """The file of the local users cannot be used: nobody logs in until it can."""
    log.sparing("error", "users.failed", path=path, operation=operation, reason=reason)


def audit_anchored(*, number: int, hash: str) -> None:  # noqa: A002 - the name of the field
    """The audit goes up to entry ``number`` with this hash; who notes it elsewhere can tell later that it was cut."""
    log.info("audit.anchored", number=number, hash=hash)


def audit_volatile(*, setting: str) -> None:
    """Nobody writes down who does what: ``setting`` would say where to."""
    log.warning("audit.volatile", setting=setting)


def audit_failed(*, path: str, operation: str, reason: str, waiting: int) -> None:
    """The audit cannot be written; ``waiting`` entries wait for it."""
    counters.audit_failed += 1
    log.sparing("error", "audit.failed", path=path, operation=operation, reason=reason, waiting=waiting)


def audit_recovered(*, duration: float, lost: int) -> None:
    """The audit can be written again after ``duration`` seconds; ``lost`` entries had no room, as it says itself."""
    log.warning("audit.recovered", duration=round(duration, 3), lost=lost)


def audit_retired(*, count: int) -> None:
    """So many entries of the audit are deleted, for their age or for their size; it says so itself."""
    log.info("audit.retired", count=count)


# --- actors.sources ----------------------------------------------------------------------------


def source_connected(*, source: str, kind: str, address: str = "") -> None:
    """A source reached what it reads from."""
    counters.source_connects.add(source)
    log.info("source.connected", source=source, kind=kind, address=address)


def source_lost(*, source: str, kind: str, reason: str, delay: float | None = None) -> None:
    """A source lost what it reads from and tries again in ``delay`` seconds; its readings become stale."""
    counters.source_losses.add(source)
    log.warning(
        "source.lost", source=source, kind=kind, reason=reason, delay=None if delay is None else round(delay, 3)
    )


def source_silent(*, source: str, silence: float) -> None:
    """A source has said nothing for ``silence`` seconds: twice its cadence, or more."""
    counters.source_silences.add(source)
    log.warning("source.silent", source=source, silence=round(silence, 3))


def source_returned(*, source: str, silence: float) -> None:
    """A silence of ``silence`` seconds is over: the source speaks again, or promises it no more."""
    log.info("source.returned", source=source, silence=round(silence, 3))


def reading_rejected(*, source: str, key: str, reason: str, text: str = "") -> None:
    """A source said something that cannot be a reading."""
    counters.readings_rejected.add(source)
    log.sparing("info", "reading.rejected", source=source, key=key, reason=reason, text=text[:200])


def clock_quarantined(*, source: str, step: float) -> None:
    """A source's clock jumped by ``step`` seconds; its times are not used until it is steady."""
    counters.clock_quarantines.add(source)
    log.warning("clock.quarantined", source=source, step=round(step, 3))


def clock_released(*, source: str, offset: float) -> None:
    """A source's clock is steady again, ``offset`` seconds from ours."""
    log.info("clock.released", source=source, offset=round(offset, 3))


def budget_exceeded(*, source: str, publisher: str, rate: float, burst: float) -> None:
    """A publisher has more critical events than its budget; the rest are high. Without one: all of ``source``."""
    log.sparing("warning", "budget.exceeded", source=source, publisher=publisher, rate=rate, burst=burst)


# --- actors.hooks ------------------------------------------------------------------------------


def hook_quarantined(*, hook: str, part: str, error: BaseException | None) -> None:
    """A part of a hook failed, or took too long: it is not called again before the next start."""
    counters.hooks_quarantined.add(hook)
    log.error("hook.quarantined", hook=hook, part=part, error=error)


# --- andond ------------------------------------------------------------------------------------


def daemon_started(*, version: str, path: str) -> None:
    """The process runs and begins to build what it consists of."""
    log.info("daemon.started", version=version, path=path)


def daemon_ready(*, address: str, duration: float) -> None:
    """The daemon answers on ``address``, ``duration`` seconds after its start."""
    log.info("daemon.ready", address=address, duration=round(duration, 3))


def gateway_opened(*, meaning: str) -> None:
    """Nothing says who may do what, so everybody on this machine may do everything."""
    log.warning("gateway.opened", meaning=meaning)


def gateway_exposed(*, address: str, meaning: str) -> None:
    """Other machines show passwords or tokens without TLS: whoever is between can read them."""
    log.warning("gateway.exposed", address=address, meaning=meaning)


def gateway_guarded(*, meaning: str) -> None:
    """What was open is so no longer: somebody was made known who may do something."""
    log.info("gateway.guarded", meaning=meaning)


def daemon_draining(*, reason: str, connections: int, timeout: float) -> None:
    """The daemon takes no new clients and lets the present ones leave."""
    log.info("daemon.draining", reason=reason, connections=connections, timeout=timeout)


def daemon_stopped(*, duration: float, left: int = 0) -> None:
    """The daemon ends; ``left`` connections had to be cut."""
    log.info("daemon.stopped", duration=round(duration, 3), left=left)


def daemon_failed(*, error: BaseException) -> None:
    """The daemon ends because its root supervisor gave up."""
    log.error("daemon.failed", error=error)


def watchdog_withheld(*, reason: str) -> None:
    """The service manager's watchdog was not fed: something that must answer did not."""
    counters.watchdog_withheld += 1
    log.warning("watchdog.withheld", reason=reason)


def tree_dumped(*, actor: str, state: str, depth: int, handled: int, restarts: int) -> None:
    """One line of the actor tree, asked for by a signal."""
    log.info("tree.dumped", actor=actor, state=state, depth=depth, handled=handled, restarts=restarts)
